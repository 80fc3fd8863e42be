"""Which lamps a run has, and what lights them."""

from collections.abc import Mapping
from dataclasses import replace

from trainer.telemetry.bands import Bands
from trainer.telemetry.judge import LampReading, judge
from tui.store.hosts import HostRecord
from tui.store.runs import RunRecord

CORE = ("u_val", "R", "grad_norm", "ce", "reg", "idle_s")
PROBED = frozenset({"warfare_ratio", "warfare_cosine", "u_shuffled", "det"})
"""What the last look into the model told, not the newest row."""
OWN = frozenset({"memory_used", "disk_free_gb", *CORE})


def context_of(run: RunRecord) -> dict[str, float | str | None]:
    """What bounds and sentences may refer to."""
    context: dict[str, float | str | None] = {**run.told, "u_stat": run.u_stat, "step_s": run.step_s}
    context["row_s"] = run.row_s
    if run.floors is not None:
        floors = run.floors
        context |= {"unigram": floors.unigram, "bigram": floors.bigram, "trigram": floors.trigram}
        context["entropy_rate"] = floors.entropy_rate
    return context


def idle_s(run: RunRecord, now: float) -> float | None:
    """Seconds since the newest row was heard; None while nothing is stepping."""
    if run.view.state != "running" or run.row_heard is None:
        return None
    return now - run.row_heard


def penalty(row: Mapping[str, float]) -> float | None:
    """What the penalty adds to the loss: total - ce (the table's `reg` may still lack its lambda)."""
    total, ce = row.get("total"), row.get("ce")
    return row.get("reg") if total is None or ce is None else total - ce


def _value(run: RunRecord, metric: str, now: float) -> float | None:
    if metric == "idle_s":
        return idle_s(run, now)
    return penalty(run.row) if metric == "reg" and "reg" in run.row else run.row.get(metric)


def lamps(run: RunRecord, host: HostRecord, bands: Bands, now: float) -> list[LampReading]:
    """The lamps of a run: the core ones always, the others where there is something to judge."""
    context = context_of(run)
    found = []
    for metric in CORE:
        value = _value(run, metric, now)
        if metric in bands:
            verdict = judge(bands, metric, value, context)
            found.append(_journey(verdict, run) if bands.metrics[metric].zones else verdict)
    told = run.told
    others = [metric for metric in bands.metrics if metric not in OWN and metric in told]
    found += [judge(bands, metric, told[metric], context) for metric in others]
    used, total, free = host.load_now.mem_used, host.load_now.mem_total, host.load_now.disk_free
    if "memory_used" in bands:
        found.append(
            judge(bands, "memory_used", 100 * used / total if used is not None and total else None, context)
        )
    if "disk_free_gb" in bands:
        found.append(judge(bands, "disk_free_gb", None if free is None else free / 1e9, context))
    return found


def _journey(verdict: LampReading, run: RunRecord) -> LampReading:
    """Beside a zone, how many zones were visited so far."""
    visited = run.zones.visited
    if verdict.severity == "unknown" or not visited:
        return verdict
    return replace(verdict, why=f"{verdict.why}; {visited} zone{'s' if visited > 1 else ''} visited")
