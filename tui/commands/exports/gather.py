"""What a run told, and what its host says of it: from any host, from any file, from what was pulled here."""

import json
import re
import time
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from remote.protocol.arguments import RunArgs
from remote.protocol.errors import CallError
from remote.protocol.sanitise import clean_line
from remote.protocol.verbs import RUN
from remote.protocol.views import RunDetails
from remote.session.session import Session
from remote.session.updates import Bytes, StreamEnd
from remote.session.watching.training_files import TrainingFiles
from trainer.run.checkpoints.manifest import list_checkpoints
from trainer.telemetry.events import Checkpoint, Evaluation, Event
from trainer.telemetry.read import EventReader
from trainer.telemetry.recognise import FileRecogniser
from trainer.telemetry.recogniser import LogRecogniser
from tui.commands.evidence import clock, evidence
from tui.commands.exports.recorded_run import RecordedRun
from tui.commands.find_run import find_view
from tui.commands.host_session import POLL_S, metrics_stream
from tui.commands.logs.host_file import QUIET_S, WHOLE, pieces
from tui.store.run_streams import Formats

VALUE_MAX = 2000
SPEC_MAX = 1 << 20
PAIRS_MAX = 2000
_NO_SLUG = re.compile(r"[^A-Za-z0-9._-]+")


def run_of(session: Session, name: str, formats: Formats) -> RecordedRun:
    """A run of a host, from its first byte to its present end.

    Raises:
        CallError: there is none of that name, or its host did not send it.
    """
    view = find_view(session, name)
    details = session.call(RUN, RunArgs(run_id=view.run_id))
    host = session.host.name
    run = RecordedRun(clean_line(view.name), f"{view.run_id} on {host}", slug(view.run_id))
    run.facts |= _facts(host, details)
    run.config = dict(_flat(details.spec.get("config") or {}))
    run.environment = _environment(session, details)
    reader = _Logs(formats) if metrics_stream(view) == "log" else _Events()
    key = session.follow(view.run_id, metrics_stream(view), None, WHOLE, False)
    for update in _stream(session, key):
        run.take(reader.take(update))
    run.take(reader.finish())
    run.planned = run.planned or view.max_steps
    if reader.name:
        run.facts["format of its log"] = reader.name
    return _summed(run)


def files_of(session: Session, files: TrainingFiles, formats: Formats) -> RecordedRun:
    """A run that somebody else's files tell.

    Raises:
        CallError: they cannot be read.
    """
    host = session.host
    where = files.place if host.is_local else f"{host.name}:{files.place}"
    path = Path(files.place)
    name = path.name if path.parent.name in ("", "/") else f"{path.parent.name}/{path.name}"
    run = RecordedRun(
        clean_line(name), clean_line(where), slug(path.stem if path.suffix in KNOWN else path.name)
    )
    found = ""
    for one in files.metrics or (files.log,):
        reader = FileRecogniser(lambda: 0.0, formats)
        events: list[Event] = []
        for data in pieces(session, one):
            events += reader.feed(data)
        events += reader.finish()
        first = next((event.step for event in events if event.step is not None), None)
        if first is not None:  # a later file of one run goes on from where it begins
            run.go_back(first - 1)
        run.take(events)
        found = reader.name or found
    if found:
        run.facts["format"] = found
    run.facts["what it is"] = files.what
    if files.what == "run directory":
        _take_spec(session, files.place, run)
    if files.at:
        run.facts["last written"] = clock(files.at)
    return _summed(run)


KNOWN = (".log", ".csv", ".json", ".jsonl", ".txt", ".out")


def pulled(folder: Path) -> RecordedRun | None:
    """A run whose checkpoints were pulled to this machine, by their manifests; None where it is none."""
    events: list[Event] = []
    for seq, one in enumerate(sorted(list_checkpoints(folder), key=lambda one: one.step)):
        manifest = one.manifest
        if manifest is None:
            continue
        if manifest.metrics:
            values: dict[str, float | None] = {clean_line(k): v for k, v in manifest.metrics.items()}
            events.append(Evaluation(seq=2 * seq, attempt=1, t=0.0, step=one.step, values=values))
        kind, name = clean_line(manifest.kind), f"step-{one.step:08d}"
        events.append(
            Checkpoint(
                seq=2 * seq + 1,
                attempt=1,
                t=0.0,
                step=one.step,
                path=name,
                sha256="",
                kind=kind,
                bytes=manifest.bytes,
            )
        )
    if not events:
        return None
    run = RecordedRun(clean_line(folder.name), clean_line(str(folder)), slug(folder.name))
    run.take(events)
    run.facts["what it is"] = "checkpoints that were pulled: scores at each of them, and no rows between"
    return _summed(run)


def slug(name: str) -> str:
    """A file name that means nothing to any shell or file system."""
    return _NO_SLUG.sub("-", name).strip(".-")[:100] or "run"


class _Events:
    """Our own trainer's events."""

    name = ""

    def __init__(self) -> None:
        self._reader, self._gen = EventReader(), -1

    def take(self, update: Bytes) -> list[Event]:
        if update.gen != self._gen:
            self._reader, self._gen = EventReader(mid_line=update.offset > 0), update.gen
        return self._reader.feed(update.data)

    def finish(self) -> list[Event]:
        return self._reader.finish()


class _Logs:
    """The logs of a command, one a attempt."""

    def __init__(self, formats: Formats) -> None:
        self._log, self._gen = LogRecogniser(lambda: 0.0, formats), -1

    @property
    def name(self) -> str:
        return self._log.name

    def take(self, update: Bytes) -> list[Event]:
        ended = self._log.end_part() if self._gen not in (-1, update.gen) else []
        self._gen = update.gen
        return ended + self._log.feed(update.data)

    def finish(self) -> list[Event]:
        return self._log.finish()


def _stream(session: Session, key: int) -> Iterator[Bytes]:
    """The bytes of one followed file, up to its present end."""
    received_at = time.monotonic()
    while True:
        updates = session.drain()
        for update in updates:
            if isinstance(update, Bytes) and update.key == key:
                received_at = time.monotonic()
                yield update
            elif isinstance(update, StreamEnd) and update.key == key:
                return
        if time.monotonic() - received_at > QUIET_S:
            raise CallError("timeout", f"{session.host.name} did not send what the run told", "try again")
        if not updates:
            time.sleep(POLL_S)


def _take_spec(session: Session, place: str, run: RecordedRun) -> None:
    """What a run directory of ours says of the run beside; one that makes no sense costs that alone."""
    data = b""
    for piece in pieces(session, f"{place}/spec.json"):
        data += piece
        if len(data) > SPEC_MAX:
            return
    try:
        spec = json.loads(data)
    except (ValueError, RecursionError):
        return
    if not isinstance(spec, dict):
        return
    config, argv, env = spec.get("config"), spec.get("argv"), spec.get("env")
    if isinstance(config, dict):
        run.config = dict(_flat(config))
    if isinstance(argv, list) and argv:
        run.facts["command"] = clean_line(" ".join(map(str, argv)))[:VALUE_MAX]
    if isinstance(env, dict | list) and env:
        run.environment = {"variables": clean_line(", ".join(sorted(map(str, env))))[:VALUE_MAX]}


def _facts(host: str, details: RunDetails) -> dict[str, str]:
    shown = evidence(details)
    facts = {
        "run": details.run_id, "host": host, "kind": details.kind, "state": details.state,
        "reason": details.reason, "device": details.device, "preset": details.preset,
        "attempts": str(details.attempt), "by": details.by,
        "began": clock(shown["began"]) if shown["began"] is not None else "",
        "ended": clock(shown["ended"]) if shown["ended"] is not None else "",
        "command": " ".join(map(str, details.spec.get("argv") or [])), "directory": details.dir,
    }  # fmt: skip
    return {name: clean_line(value)[:VALUE_MAX] for name, value in facts.items() if value}


def _environment(session: Session, details: RunDetails) -> dict[str, str]:
    """The machine, and of the run's own environment the names alone."""
    hello = session.hello
    found = {}
    if hello is not None:
        found = {"system": hello.platform, "python": hello.python, "photinus": hello.version}
        found["environment"] = hello.env
    names = sorted(map(str, details.spec.get("env") or []))
    found["variables"] = ", ".join(names)
    found["working directory"] = str(details.spec.get("cwd") or "")
    return {name: clean_line(value)[:VALUE_MAX] for name, value in found.items() if value}


def _summed(run: RecordedRun) -> RecordedRun:
    rows = run.rows
    steps = [row.step for row in rows if row.step is not None]
    run.facts["rows"] = f"{len(rows):,}"
    if steps:
        run.facts["last step"] = f"{max(steps):,}" + (f" of {run.planned:,}" if run.planned else "")
    return run


def _flat(value: Mapping[str, Any], above: str = "") -> Iterator[tuple[str, str]]:
    """A configuration as pairs with dotted names."""
    for count, (key, inner) in enumerate(value.items()):
        if count > PAIRS_MAX:
            return
        name = clean_line(f"{above}{key}")
        if isinstance(inner, Mapping) and inner:
            yield from _flat(inner, f"{name}.")
        else:
            yield name, clean_line(str(inner))[:VALUE_MAX]
