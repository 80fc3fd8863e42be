"""Which lamps a run has, and what lights them."""

from collections.abc import Mapping
from dataclasses import replace
from math import isfinite, nan

from trainer.telemetry.bands import Bands
from trainer.telemetry.judge import LampReading, judge
from tui.store.hosts import HostRecord
from tui.store.runs import RunRecord

CORE = ("u_val", "R", "grad_norm", "ce", "reg", "idle_s")
PROBED = frozenset({"warfare_ratio", "warfare_cosine", "u_shuffled", "det"})
"""What the last look into the model told, not the newest row."""
NOT_FINITE_MOST = 4  # lamps of metrics that are no numbers
RESCUE = "resume from an earlier checkpoint"
OWN = frozenset({"memory_used", "disk_free_gb", *CORE})


def context_of(run: RunRecord) -> dict[str, float | str | None]:
    """What bounds and sentences may refer to."""
    context: dict[str, float | str | None] = {**run.numbers, "u_stat": run.u_stat, "step_s": run.step_s}
    context |= {"row_s": run.row_s, "stall_s": run.stall_s}
    if run.floors is not None:
        floors = run.floors
        context |= {"unigram": floors.unigram, "bigram": floors.bigram, "trigram": floors.trigram}
        context["entropy_rate"] = floors.entropy_rate
    return context


def idle_s(run: RunRecord, now: float) -> float | None:
    """Seconds since the run said something of its work; None while nothing is stepping.

    `now` is when anything was received of its host last: a silence of the link is none of the run.
    """
    if run.view.state != "running" or run.row_at is None:
        return None
    return now - max(run.row_at, run.active_at or run.row_at)


def silence_s(run: RunRecord, host: HostRecord, now: float) -> float | None:
    """`idle_s` as far as the host was heard; None while it cannot be asked."""
    lagging = host.link.phase == "lagging" and host.received_at is not None
    return None if host.away_since is not None else idle_s(run, host.received_at or now if lagging else now)


def penalty(row: Mapping[str, float]) -> float | None:
    """What the penalty adds to the loss: total - ce (the table's `reg` may still lack its lambda)."""
    total, ce = row.get("total"), row.get("ce")
    return row.get("reg") if total is None or ce is None else total - ce


def _value(run: RunRecord, host: HostRecord, metric: str, now: float) -> float | None:
    if metric == "idle_s":
        return silence_s(run, host, now)
    if run.is_command:  # its rows may tell different metrics in turn
        return run.newest(metric)
    return penalty(run.row) if metric == "reg" and "reg" in run.row else run.row.get(metric)


def _has(run: RunRecord, metric: str) -> bool:
    """Whether a run may have a lamp of the core: what it tells; all, while a run of ours has told nothing."""
    if metric == "idle_s" or metric in run.catalogue:
        return True
    return not run.is_command and not run.catalogue


def lamps(run: RunRecord, host: HostRecord, bands: Bands, now: float) -> list[LampReading]:
    """The lamps of a run: those of what it tells, and of its machine."""
    context = context_of(run)
    found = []
    for metric in CORE:
        if metric in bands and _has(run, metric):
            value = _value(run, host, metric, now)
            verdict = judge(bands, metric, value, context)
            found.append(_journey(verdict, run) if bands.metrics[metric].zones else verdict)
    numbers = run.numbers
    found += _not_finite(run, bands)
    others = [metric for metric in bands.metrics if metric not in OWN and metric in numbers]
    found += [judge(bands, metric, numbers[metric], context) for metric in others]
    used, total, free = host.load_now.mem_used, host.load_now.mem_total, host.load_now.disk_free
    if "memory_used" in bands:
        found.append(
            judge(bands, "memory_used", 100 * used / total if used is not None and total else None, context)
        )
    if "disk_free_gb" in bands:
        found.append(judge(bands, "disk_free_gb", None if free is None else free / 1e9, context))
    return found


def _not_finite(run: RunRecord, bands: Bands) -> list[LampReading]:
    """A red lamp for each metric without bands whose newest value is no number."""
    bad = [name for name in run.catalogue if name not in bands and _is_nan(run.newest(name))]
    return [
        LampReading(name, name, nan, "✖", "not finite", "red", "bad", f"{name} is not finite", RESCUE)
        for name in bad[:NOT_FINITE_MOST]
    ]


def _is_nan(value: float | None) -> bool:
    return value is not None and not isfinite(value)


def _journey(verdict: LampReading, run: RunRecord) -> LampReading:
    """Beside a zone, how many zones were visited so far."""
    visited = run.zones.visited
    if verdict.severity == "unknown" or not visited:
        return verdict
    return replace(verdict, why=f"{verdict.why}; {visited} zone{'s' if visited > 1 else ''} visited")
