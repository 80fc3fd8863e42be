"""A run as a script sees it: the fields of `ls --json` and `show --json`."""

import math
import shlex
import time
from collections.abc import Mapping, Sequence
from typing import Any

from remote.protocol.views import RunView
from trainer.telemetry.bands import Bands
from trainer.telemetry.events import StepBack
from trainer.telemetry.flat import flatten
from trainer.telemetry.judge import LampReading
from tui.commands.evidence import evidence_words
from tui.store.hosts import HostRecord
from tui.store.lamps import lamps
from tui.store.runs import RunRecord
from tui.store.words import duration, size

NAME_WIDTH = 40
TAGS_WIDTH = 60
REASON_WIDTH = 120
COMMAND_WIDTH = 800
SCORES_SHOWN = 4
FAILURES = frozenset({"failed", "died", "died_reboot", "unkillable"})


def brief(host: str, run: RunRecord) -> dict[str, Any]:
    """What `ls` says of a run."""
    step = run.step if run.step is not None else run.view.step
    return {**view_fields(host, run.view), "step": step, "max_steps": run.max_steps or None}


def view_fields(host: str, view: RunView) -> dict[str, Any]:
    """What the host's files say, without what the run says."""
    return {
        "run_id": view.run_id,
        "name": view.name,
        "kind": view.kind,
        "state": view.state,
        "reason": view.reason,
        "host": host,
        "device": view.device,
        "preset": view.preset or None,
        "attempt": view.attempt,
        "code": view.code,
        "signal": view.signal,
        "pid": view.pid,
        "supervisor_pid": view.supervisor_pid,
        "max_steps": view.max_steps or None,
        "since": view.since,
        "created": view.created,
        "resumable": view.resumable,
        "why_not": view.why_not,
        "last_checkpoint": last_checkpoint(view),
        "dir": view.dir,
        "place": view.place or None,
        "ahead": view.ahead or None,
        "tags": list(view.tags),
        "note": view.note or None,
        "archived": view.archived or None,
        "began": view.began,
    }


def times(view: RunView, wall: float) -> dict[str, float | None]:
    """Seconds since it was made, and that its newest attempt took so far; by its host's clock."""
    until = view.since if view.is_terminal else wall
    return {
        "age_s": max(0.0, wall - view.created) if wall and view.created else None,
        "duration_s": max(0.0, until - view.began) if view.began and until else None,
    }


COLUMNS = ("RUN", "STATE", "HOST", "DEVICE", "AGE", "TOOK", "STEP", "NAME [TAGS] (REASON)")
HEADER = "{:28} {:12} {:10} {:8} {:>7} {:>7} {:>15}  {}".format(*COLUMNS)


def last_checkpoint(view: RunView) -> dict[str, Any] | None:
    """Step, path below the run's directory, and hash of the newest checkpoint."""
    found = view.last_checkpoint
    if found is None:
        return None
    return {"step": found.step, "path": f"checkpoints/{found.name}", "sha256": found.sha256, "at": found.at}


def full(host: str, run: RunRecord, bands: Bands) -> dict[str, Any]:
    """What `show` says of a run."""
    evaluation, sample, floors, probe = run.evaluation, run.sample, run.floors, run.probe
    return {
        **brief(host, run),
        "metrics": finite(run.numbers),
        "u_stat": run.u_stat or None,
        "health": {
            verdict.metric: health(verdict)
            for verdict in lamps(run, HostRecord(host), bands, time.monotonic())
        },
        "phase": run.phase.phase if run.phase else None,
        "eta_s": run.eta_s if not run.view.is_terminal else None,
        "eval": {"step": evaluation.step, **finite(evaluation.values)} if evaluation else None,
        "sample": run.sample_text if sample else None,
        "probe": {"step": probe.step, "layers": {name: finite_list(of) for name, of in probe.layers.items()}}
        if probe
        else None,
        "floors": {"unigram": floors.unigram, "bigram": floors.bigram, "trigram": floors.trigram}
        if floors
        else None,
        "step_back": told(run.step_back),
        "notes": [note.message for note in run.notes],
    }


def told(back: StepBack | None) -> dict[str, Any] | None:
    """How the run last went back from trouble by itself; None where it never did."""
    if back is None:
        return None
    return {
        name: value for name, value in flatten(back).items() if name not in ("type", "seq", "attempt", "t")
    }


def asked(spec: Mapping[str, Any]) -> dict[str, Any]:
    """What was asked for, from the run's spec: of its environment the names alone."""
    restart = spec.get("restart") or {}
    return {
        "argv": list(spec.get("argv") or []),
        "resume_argv": list(spec.get("resume_argv") or []),
        "on_end": list(spec.get("on_end") or []),
        "cwd": spec.get("cwd") or None,
        "shipped": spec.get("code") or None,
        "env": list(spec.get("env") or []),
        "shared_device": bool(spec.get("shared_device")),
        "stop_signal": spec.get("stop_signal"),
        "restart": restart.get("policy"),
        "by": spec.get("by"),
    }


def health(verdict: LampReading) -> dict[str, Any]:
    """One lamp."""
    return {
        "word": verdict.word,
        "glyph": verdict.glyph,
        "severity": verdict.severity,
        "why": verdict.why,
        "advice": verdict.advice,
    }


def finite(values: Mapping[str, float | None]) -> dict[str, float | None]:
    """JSON has no NaN: null stands for it."""
    return {
        name: value if value is not None and math.isfinite(value) else None for name, value in values.items()
    }


def finite_list(values: Sequence[float | None]) -> list[float | None]:
    """Likewise of a list."""
    return [value if value is not None and math.isfinite(value) else None for value in values]


def brief_words(row: Mapping[str, Any]) -> str:
    """One line of `ls` for people."""
    step = (
        "-"
        if row["step"] is None
        else f"{row['step']}" + (f"/{row['max_steps']}" if row["max_steps"] else "")
    )
    where = f"{row['run_id']:28} {row['state']:12} {row['host']:10} {row['device']:8}"
    where += f" {short(row.get('age_s')):>7} {short(row.get('duration_s')):>7}"
    tags = f" [{' '.join(row['tags'])[:TAGS_WIDTH]}]" if row.get("tags") else ""
    waits = f"  ({in_line(row)})" if row.get("place") else ""
    why = f"  ({row['reason'][:REASON_WIDTH]})" if row["reason"] and row["state"] in FAILURES else ""
    left = f"  ({still_lives(row['left'])})" if row.get("left") else ""
    return f"{where} {step:>15}  {row['name'][:NAME_WIDTH]}{tags}{waits}{why}{left}"


def shipped_words(code: Mapping[str, Any]) -> str:
    """The code that came along: its hash, its folder, and where that stood in git."""
    commit = str(code.get("commit") or "")[:12]
    stood = (
        f"commit {commit}" + (", changed since" if code.get("diff") else "") if commit else "no commit yet"
    )
    return f"{str(code.get('sha256'))[:12]}, {code.get('folder')} at {stood}"


def short(seconds: float | None) -> str:
    """A time in a column."""
    return "-" if seconds is None else duration(seconds).replace(" ", "")


def command_line(argv: Sequence[str]) -> str:
    """A command as one would type it; of one that fills a screen the beginning, and how much there is."""
    text = shlex.join(argv)
    if len(text) <= COMMAND_WIDTH:
        return text
    return f"{text[:COMMAND_WIDTH]} ... ({len(argv):,} words, {size(len(text))}: --json has them all)"


def still_lives(left: Sequence[str]) -> str:
    """What a run that is over left behind, in the words of a row."""
    more = f" and {len(left) - 1} more" if len(left) > 1 else ""
    return f"still lives: {left[0][:REASON_WIDTH]}{more}"


def in_line(row: Mapping[str, Any]) -> str:
    """Where a queued run stands."""
    return f"place {row['place']} in line" + (f", after {row['ahead']}" if row["ahead"] else "")


def full_words(shown: Mapping[str, Any]) -> str:
    """`show` for people: state, lamps with their reasons, checkpoint."""
    ended = f" ({shown['reason']})" if shown["reason"] else ""
    lines = [
        f"{shown['run_id']} on {shown['host']}: {shown['state']}{ended}, attempt {shown['attempt']}",
        f"  step {shown['step'] if shown['step'] is not None else '-'} of {shown['max_steps'] or 'unknown'}"
        + (f", {duration(shown['eta_s'])} left" if shown["eta_s"] is not None else ""),
    ]
    if shown.get("tags") or shown.get("note") or shown.get("archived"):
        words = [f"[{' '.join(shown['tags'])}]"] if shown["tags"] else []
        words += [shown["note"]] if shown["note"] else []
        words += ["archived: not listed, not resumed"] if shown["archived"] else []
        lines.append(f"  labels       {'  '.join(words)}")
    if shown.get("place"):
        lines.append(f"  queue        {in_line(shown)}")
    lines += evidence_words(shown)
    if shown.get("argv"):
        lines.append(f"  command      {command_line(shown['argv'])}")
    if shown.get("resume_argv"):
        lines.append(f"  resumed by   {command_line(shown['resume_argv'])}")
    if shown.get("on_end"):
        lines.append(f"  at its end   {command_line(shown['on_end'])}")
    if shipped := shown.get("shipped"):
        lines.append(f"  code         {shipped_words(shipped)}")
    if shown.get("cwd"):
        lines.append(f"  in           {shown['cwd']}")
    lines.append(f"  device       {shown['device']}" + (" (shared)" if shown.get("shared_device") else ""))
    lines += [
        f"  {name:12} {lamp['glyph']} {lamp['word']:16} {lamp['why']}"
        for name, lamp in shown["health"].items()
        if shown["kind"] == "trainer" or lamp["severity"] != "unknown"  # a command tells what it tells
    ]
    if evaluation := shown["eval"]:
        lines.append(f"  validation   {_scores(evaluation)} at step {evaluation['step']}")
    saved = shown["last_checkpoint"]
    lines.append(
        f"  checkpoint   step {saved['step']}, {saved['path']}" if saved else "  checkpoint   none yet"
    )
    lines.append(f"  directory    {shown['dir']}")
    return "\n".join(lines)


def _scores(evaluation: Mapping[str, Any]) -> str:
    """Our cross-entropy where there is one, else the first scores that the run told, under their names."""
    if evaluation.get("val_ce") is not None:
        return f"CE {evaluation['val_ce']}"
    told = [f"{name} {value:g}" for name, value in evaluation.items() if name != "step" and value is not None]
    return ", ".join(told[:SCORES_SHOWN]) or "no finite score"
