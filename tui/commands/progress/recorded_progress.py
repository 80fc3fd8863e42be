"""A run's progress as small text files: the same files of the same run, wherever and whenever they are made.

They are a history. Weights are not in them, and nothing can be resumed from them.
"""

import csv
import io
import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from trainer.run.checkpoints.manifest import list_checkpoints, manifest_sha256
from trainer.run.disk.small_record import read_record
from trainer.run.layout import RunDir
from trainer.run.run_errors import CheckpointError, RecordError
from trainer.telemetry.events import Event, Hello
from trainer.telemetry.read import EventReader
from tui.commands.exports.recorded_run import Point, RecordedRun

FORMAT = 1
SUMMARY, CHECKPOINTS, CURVES, LEDGER = "summary.json", "checkpoints.jsonl", "curves.csv", "ledger.jsonl"
CHUNK = 1 << 20
POINTS_MAX = 400
LEDGER_MAX = 8 << 20
OF_THE_MACHINE = frozenset({
    "tokens_per_s", "step_ms", "eta_s", "overhead", "data_wait", "tflops", "mfu", "memory_bytes",
    "memory_driver_bytes",
})  # fmt: skip
"""Metrics that say how fast a machine was, not what was learnt."""


@dataclass(slots=True)
class Attempts:
    """What the attempts of a run said of themselves."""

    name: str = ""
    preset: str = ""
    count: int = 0
    steps: int = 0
    run: RecordedRun = field(default_factory=lambda: RecordedRun("", "", ""))

    def take(self, events: Iterable[Event]) -> None:
        """Take what was said next."""
        for event in events:
            self.count = max(self.count, event.attempt)
            if isinstance(event, Hello):
                self.name, self.preset = event.name, event.preset
            self.run.take([event])


def progress_files(run: RunDir, before: Mapping[str, bytes]) -> dict[str, bytes]:
    """Return the files of a run by name.

    Args:
        before: what was exported of it earlier: checkpoints that are gone since stay in the history.

    Raises:
        OSError: its events cannot be read.
    """
    told = heard(run)
    rows = checkpoint_rows(run, before.get(CHECKPOINTS, b""))
    series = {name: points for name, points in told.run.series().items() if _is_learning(name)}
    files = {
        SUMMARY: _json(summary(run, told, rows, series)) + b"\n",
        CHECKPOINTS: b"".join(_json(row) + b"\n" for row in rows),
        CURVES: curves(series),
    }
    if ledger := _ledger(run):
        files[LEDGER] = ledger
    return files


def heard(run: RunDir) -> Attempts:
    """Return what its events say; of none, nothing."""
    told, reader = Attempts(), EventReader()
    if run.events.is_file():
        with run.events.open("rb") as file:
            while data := file.read(CHUNK):
                told.take(reader.feed(data))
        told.take(reader.finish())
    return told


def checkpoint_rows(run: RunDir, before: bytes) -> list[dict[str, Any]]:
    """Return a row a checkpoint, by step; those of `before` that are gone have `here: false`."""
    rows = {row["sha256"]: {**row, "here": False} for row in _lines(before) if _is_row(row)}
    for info in list_checkpoints(run.checkpoints):
        manifest = info.manifest
        if manifest is None:
            continue
        try:
            sha256 = manifest_sha256(info.path)
        except CheckpointError:
            continue
        rows[sha256] = {
            "step": info.step, "kind": manifest.kind, "sha256": sha256, "bytes": manifest.bytes,
            "tokens": manifest.tokens, "parent": manifest.parent, "primary": manifest.primary,
            "metrics": {name: _short(value) for name, value in sorted(manifest.metrics.items())},
            "here": True,
        }  # fmt: skip
    return sorted(rows.values(), key=lambda row: (row["step"], row["sha256"]))


def summary(
    run: RunDir, told: Attempts, rows: Sequence[Mapping[str, Any]], series: Mapping[str, Sequence[Point]]
) -> dict[str, Any]:
    """Return what fits one look: where the run stands, what is best, how its last attempt ended."""
    scored = [row for row in rows if type(row["metrics"].get(row["primary"])) in (int, float)]
    best = min(scored, key=lambda row: (row["metrics"][row["primary"]], -row["step"]), default=None)
    last = {name: points[-1] for name, points in sorted(series.items()) if points}
    steps = [step for step, _ in last.values()] + [row["step"] for row in rows]
    return {
        "format": FORMAT, "history_only": True, "run": run.run_id, "name": told.name,
        "preset": told.preset, "attempts": told.count, "step": max(steps, default=0),
        "max_steps": told.run.planned, "tokens": max((row["tokens"] for row in rows), default=0),
        "outcome": _outcome(run),
        "best": {"step": best["step"], best["primary"]: best["metrics"][best["primary"]]} if best else None,
        "last": {name: {"step": step, "value": _short(value)} for name, (step, value) in last.items()},
        "checkpoints": {"ever": len(rows), "here": sum(bool(row["here"]) for row in rows)},
    }  # fmt: skip


def curves(series: Mapping[str, Sequence[Point]]) -> bytes:
    """Return `metric,step,value`, at most `POINTS_MAX` of a metric and its last; longer ones keep every 2nd,
    4th, 8th ... so that rows which stay are the same rows.
    """
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow(("metric", "step", "value"))
    for name, points in sorted(series.items()):
        every = 1
        while len(points) / every > POINTS_MAX:
            every *= 2
        kept = [*points[::every], *(points[-1:] if (len(points) - 1) % every else ())]
        writer.writerows((name, step, _short(value)) for step, value in kept)
    return out.getvalue().encode()


def _is_row(row: Mapping[str, Any]) -> bool:
    """Whether a row of an earlier export, which others push too, is one."""
    kinds = {"sha256": str, "step": int, "tokens": int, "primary": str, "metrics": dict}
    return all(type(row.get(name)) is kind for name, kind in kinds.items())


def _is_learning(name: str) -> bool:
    return name.removeprefix("val ") not in OF_THE_MACHINE


def _short(value: float) -> float | str:
    """A number that says what can be believed; what is not finite as a word, which JSON has no number for."""
    short = float(f"{value:.6g}")
    return short if short - short == 0 else str(short)


def _outcome(run: RunDir) -> str:
    try:
        raw = read_record(run.exit)
    except RecordError:
        return ""
    return str(raw.get("outcome", "")) if isinstance(raw, dict) else ""


def _ledger(run: RunDir) -> bytes:
    path = run.path / "feed" / "ledger.jsonl"
    if not path.is_file() or path.stat().st_size > LEDGER_MAX:
        return b""
    return b"".join(_json(row) + b"\n" for row in _lines(path.read_bytes()))


def _lines(data: bytes) -> list[dict[str, Any]]:
    found = []
    for line in data.splitlines():
        try:
            row = json.loads(line)
        except (ValueError, RecursionError):
            continue
        if isinstance(row, dict):
            found.append(row)
    return found


def _json(value: object) -> bytes:
    return json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False).encode(
        "utf-8", "replace"
    )


def read_before(folder: Path) -> dict[str, bytes]:
    """Return what an earlier export left; a file that cannot be read is as none."""
    found = {}
    for name in (CHECKPOINTS,):
        try:
            found[name] = (folder / name).read_bytes()
        except OSError:
            continue
    return found
