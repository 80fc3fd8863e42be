"""Runs as their files tell them, read again only where a file changed."""

import os
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

from remote.agent.kept.labels import Labels, labels_path, read_labels
from remote.protocol.views import LastCheckpoint, RunView
from remote.supervisor.admission.waiting_line import places
from trainer.run.checkpoints.manifest import MANIFEST, NAME, manifest_sha256, parse_manifest, read_manifest
from trainer.run.disk.atomic import read_json
from trainer.run.home import Home
from trainer.run.layout import RunDir
from trainer.run.locks import is_free
from trainer.run.logs import newest_log
from trainer.run.process.identity import is_alive
from trainer.run.process.process_record import ProcessRecord, read_process
from trainer.run.records import own, read_changed_spec, read_state
from trainer.run.run_errors import CheckpointError, RunError
from trainer.run.spec import RunSpec
from trainer.run.states import State, StateRecord

T = TypeVar("T")
Stamp = tuple[int, int, int]
REASON_MAX = 500


def stamp(path: Path) -> Stamp:
    """What changes when a file is replaced or grows; zeros while there is none."""
    try:
        found = os.stat(path)  # noqa: PTH116  called often
    except FileNotFoundError:
        return (-1, -1, -1) if path.is_symlink() else (0, 0, 0)
    except OSError:  # something that may not be looked at (made with sudo, say): who reads it is told why
        return (-1, -1, -1)
    return (found.st_mtime_ns, found.st_ino, found.st_size)


class Views:
    """Reads runs; holds what it read by the files' stamps."""

    def __init__(self, home: Home) -> None:
        self._home = home
        self._cache: dict[tuple[str, Path], tuple[Stamp, Any]] = {}

    def whole(self) -> list[RunDir]:
        """The runs whose files can be read, each of them read: for the doctor, who wants to know."""
        started = [run for run in self._home.runs() if stamp(run.state)[1]]
        return [run for run in started if isinstance(readable(self, run), RunView)]

    def forget(self, run: RunDir) -> None:
        """Hold nothing more of a run: of thousands that are over, what was read would fill the memory."""
        for path in (run.state, run.spec, run.process, run.checkpoints, labels_path(run)):
            for kind in ("state", "spec", "process", "checkpoint", "labels"):
                self._cache.pop((kind, path), None)

    def state(self, run: RunDir) -> StateRecord | None:
        """Its state on disk."""
        return self._cached("state", run.state, lambda: _own_state(run))

    def spec(self, run: RunDir) -> RunSpec:
        """What it runs.

        Raises:
            SpecError: it has none.
        """
        kind = f"spec {stamp(run.changes)}"
        return self._cached(kind, run.spec, lambda: own(run, read_changed_spec(run)))

    def process(self, run: RunDir) -> ProcessRecord | None:
        """Who was recorded last."""
        return self._cached("process", run.process, lambda: read_process(run))

    def labels(self, run: RunDir) -> Labels:
        """What people call it."""
        return self._cached("labels", labels_path(run), lambda: read_labels(run))

    def last_checkpoint(self, run: RunDir) -> LastCheckpoint | None:
        """The newest checkpoint with a readable manifest (its files are not hashed here)."""
        return self._cached("checkpoint", run.checkpoints, lambda: _last_checkpoint(run))

    def fingerprint(self, run: RunDir) -> tuple[Stamp, ...]:
        """Changes whenever the run's view may; the place of one that waits changes with the line."""
        paths = (run.state, run.process, run.checkpoints, labels_path(run), self._home.queue_dir)
        return tuple(map(stamp, paths))

    def view(self, run: RunDir) -> RunView | None:
        """The whole view; None before the run's first state.

        Raises:
            RunError: a file of it is malformed.
        """
        state = self.state(run)
        if state is None:
            return None
        spec, labels = self.spec(run), self.labels(run)
        process = None if state.is_terminal else self.process(run)
        last = self.last_checkpoint(run)
        on = process if process and process.attempt == state.attempt else None
        if on is not None and on.is_of_a_copy(run):
            on = None  # those are the original's
        trainer = on.trainer.pid if on and on.trainer and is_alive(on.trainer) else None
        supervisor = on.supervisor.pid if on and is_alive(on.supervisor) else None
        name = State.UNSUPERVISED if trainer and not supervisor and is_free(run.lock) else state.state
        archived = labels.archived if state.is_terminal else 0.0  # what goes on is never out of sight
        why_not = why_not_resumable(spec, state, last, archived=archived > 0)
        log = newest_log(run)
        place, ahead = self._place(run) if state.state is State.QUEUED else (0, "")
        return RunView(
            run_id=run.run_id,
            name=labels.name or spec.name,
            kind=spec.kind,
            state=str(name),
            seq=state.seq,
            attempt=state.attempt,
            reason=state.reason[:REASON_MAX],
            code=state.code,
            signal=state.signal,
            device=spec.device,
            preset=spec.preset,
            since=state.since,
            created=spec.created,
            max_steps=spec.max_steps,
            pid=trainer,
            supervisor_pid=supervisor,
            resumable=not why_not,
            why_not=why_not,
            last_checkpoint=last,
            log_file=log.name if log else "",
            dir=str(run.path),
            start_id=state.start_id,
            by=spec.by,
            place=place,
            ahead=ahead,
            step=_last_step(run, state) if state.is_terminal else None,
            tags=labels.tags,
            note=labels.note,
            archived=archived,
            began=on.started if on else self._began(run, state),
        )

    def _began(self, run: RunDir, state: StateRecord) -> float | None:
        """Of a run that is over; a record that cannot be read costs no more than this number."""
        try:
            process = self.process(run)
        except (RunError, OSError):
            return None
        is_of_it = process is not None and process.attempt == state.attempt and state.is_terminal
        return process.started if process is not None and is_of_it and process.started else None

    def _place(self, run: RunDir) -> tuple[int, str]:
        """Worked out once for all that wait, as long as the line is the same."""
        line = self._home.queue_dir
        return self._cached("line", line, lambda: places(self._home, self.spec)).get(run.run_id, (0, ""))

    def _cached(self, kind: str, path: Path, read: Callable[[], T]) -> T:
        now = stamp(path)
        held = self._cache.get((kind, path))
        if held is not None and held[0] == now:
            value: T = held[1]
            return value
        value = read()
        if now == stamp(path):  # what was read between two changes is not kept
            self._cache[kind, path] = (now, value)
        return value


def why_not_resumable(
    spec: RunSpec, state: StateRecord, last: LastCheckpoint | None, *, archived: bool = False
) -> str:
    """Why a resume would be refused; empty if it would not."""
    if archived:
        return f"it is archived: photinus restore {spec.run_id}"
    if spec.kind == "command" and not spec.resume_argv:  # said of a live run too: a kill would be its end
        return "a command started without --resume-command cannot be resumed"
    if not state.is_terminal:
        return f"it is {state.state}"
    if spec.kind == "command":
        return ""
    if last is not None and last.step >= spec.max_steps:
        return f"it has done all of its {spec.max_steps} steps"
    return ""


def _own_state(run: RunDir) -> StateRecord | None:
    state = read_state(run)
    return None if state is None else own(run, state)


def _last_step(run: RunDir, state: StateRecord) -> int | None:
    """From the trainer's last word of this attempt; what is torn or of another attempt counts as none."""
    try:
        raw = read_json(run.exit)
    except (RunError, OSError):
        return None  # the doctor names it
    step = raw.get("step") if isinstance(raw, dict) and raw.get("attempt") == state.attempt else None
    return step if isinstance(step, int) and not isinstance(step, bool) and 0 <= step <= 1 << 53 else None


def _last_checkpoint(run: RunDir) -> LastCheckpoint | None:
    """The newest whose manifest can be read; older ones are not even opened."""
    if not run.checkpoints.is_dir():
        return None
    named = [
        (int(match[1]), path) for path in run.checkpoints.iterdir() if (match := NAME.fullmatch(path.name))
    ]
    for step, path in sorted(named, reverse=True):
        try:
            at = (path / MANIFEST).stat().st_mtime
            sha256 = manifest_sha256(path)
            parse_manifest(read_manifest(path), path.name)
        except (OSError, CheckpointError):
            continue  # torn, or removed by retention meanwhile
        return LastCheckpoint(step=step, name=path.name, sha256=sha256, at=at)
    return None


def readable(views: Views, run: RunDir) -> RunView | RunError | None:
    """The view, or what is wrong with its files: one broken run must not hide the others."""
    try:
        return views.view(run)
    except RunError as error:
        return error
    except OSError as error:
        return RunError(f"{run.run_id} cannot be read: {error}")
    except Exception as error:  # whatever one run's files do to us, it costs that run alone
        return RunError(f"{run.run_id} cannot be shown: {type(error).__name__}: {str(error)[:200]}")
