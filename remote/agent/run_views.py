"""Runs as their files tell them, read again only where a file changed."""

import os
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

from remote.protocol.views import LastCheckpoint, RunView
from trainer.run.checkpoints.manifest import MANIFEST, list_checkpoints, manifest_sha256
from trainer.run.home import Home
from trainer.run.layout import RunDir
from trainer.run.locks import is_free
from trainer.run.logs import newest_log
from trainer.run.process.identity import is_alive
from trainer.run.process.process_record import ProcessRecord, read_process
from trainer.run.records import read_changed_spec, read_state
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
        return (0, 0, 0)
    except OSError:  # something that may not be looked at (made with sudo, say): who reads it is told why
        return (-1, -1, -1)
    return (found.st_mtime_ns, found.st_ino, found.st_size)


class Views:
    """Reads runs; holds what it read by the files' stamps."""

    def __init__(self, home: Home) -> None:
        self._home = home
        self._cache: dict[tuple[str, Path], tuple[Stamp, Any]] = {}

    @property
    def runs_dir(self) -> Path:
        """Where the runs lie; its stamp changes with every new one."""
        return self._home.runs_dir

    def runs(self) -> list[RunDir]:
        """Every run that was ever started: it has a spec and a state, readable or not."""
        return [run for run in self._home.runs() if stamp(run.state)[1]]

    def whole(self) -> list[RunDir]:
        """The runs whose files can be read: one that is broken must not hold up the others."""
        return [run for run in self.runs() if isinstance(readable(self, run), RunView)]

    def state(self, run: RunDir) -> StateRecord | None:
        """Its state on disk."""
        return self._cached("state", run.state, lambda: read_state(run))

    def spec(self, run: RunDir) -> RunSpec:
        """What it runs.

        Raises:
            SpecError: it has none.
        """
        return self._cached(f"spec {stamp(run.changes)}", run.spec, lambda: read_changed_spec(run))

    def process(self, run: RunDir) -> ProcessRecord | None:
        """Who was recorded last."""
        return self._cached("process", run.process, lambda: read_process(run))

    def last_checkpoint(self, run: RunDir) -> LastCheckpoint | None:
        """The newest checkpoint with a readable manifest (its files are not hashed here)."""
        return self._cached("checkpoint", run.checkpoints, lambda: _last_checkpoint(run))

    def fingerprint(self, run: RunDir) -> tuple[Stamp, ...]:
        """Changes whenever the run's view may."""
        return stamp(run.state), stamp(run.process), stamp(run.checkpoints)

    def view(self, run: RunDir) -> RunView | None:
        """The whole view; None before the run's first state.

        Raises:
            RunError: a file of it is malformed.
        """
        state = self.state(run)
        if state is None:
            return None
        spec, process = self.spec(run), self.process(run)
        last = self.last_checkpoint(run)
        on = None if state.is_terminal or not process or process.attempt != state.attempt else process
        if on is not None and on.is_of_a_copy(run):
            on = None  # those are the original's
        trainer = on.trainer.pid if on and on.trainer and is_alive(on.trainer) else None
        supervisor = on.supervisor.pid if on and is_alive(on.supervisor) else None
        name = State.UNSUPERVISED if trainer and not supervisor and is_free(run.lock) else state.state
        why_not = why_not_resumable(spec, state, last)
        log = newest_log(run)
        return RunView(
            run_id=run.run_id,
            name=spec.name,
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
        )

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


def why_not_resumable(spec: RunSpec, state: StateRecord, last: LastCheckpoint | None) -> str:
    """Why a resume would be refused; empty if it would not."""
    if spec.kind == "command" and not spec.resume_argv:  # said of a live run too: a kill would be its end
        return "a command started without --resume-command cannot be resumed"
    if not state.is_terminal:
        return f"it is {state.state}"
    if spec.kind == "command":
        return ""
    if last is not None and last.step >= spec.max_steps:
        return f"it has done all of its {spec.max_steps} steps"
    return ""


def _last_checkpoint(run: RunDir) -> LastCheckpoint | None:
    for info in reversed(list_checkpoints(run.checkpoints)):
        if info.manifest is None:
            continue
        try:
            at = (info.path / MANIFEST).stat().st_mtime
            sha256 = manifest_sha256(info.path)
        except (OSError, CheckpointError):
            continue  # removed by retention meanwhile
        return LastCheckpoint(step=info.step, name=info.name, sha256=sha256, at=at)
    return None


def readable(views: Views, run: RunDir) -> RunView | RunError | None:
    """The view, or what is wrong with its files: one broken run must not hide the others."""
    try:
        return views.view(run)
    except RunError as error:
        return error
    except OSError as error:
        return RunError(f"{run.run_id} cannot be read: {error}")
