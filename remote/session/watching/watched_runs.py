"""Runs that nobody started here, among those of a session: found by pattern, told and followed as runs."""

from collections import deque
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from itertools import count
from pathlib import PurePosixPath
from typing import Protocol

from remote.protocol.arguments import FilesArgs
from remote.protocol.errors import CallError
from remote.protocol.results import FilesFound
from remote.protocol.views import RunView
from remote.session.link.link_state import LinkState
from remote.session.updates import (
    Bytes,
    Gap,
    HostSeen,
    RunChanged,
    RunsSeen,
    StreamBegin,
    StreamEnd,
    Truncated,
    Update,
)
from remote.session.watching.training_files import CHECKPOINT, COUNTED, TrainingFiles, training_files

LOOK_S = 5.0
SILENT_S = 180.0  # without a byte, or `PAUSES` times the longest pause so far
PAUSES = 3
PAUSE_MAX = 1200.0
RUNS_MAX = 500
SMALL = 1 << 20  # is read whole for a glimpse, too
LARGE = 64 << 20  # what has no middle to begin in is not read whole for a glimpse
WHOLE = 1 << 53
PART = 24  # bits of a generation below the number of a run's file
OLDER_AGENT = "its Photinus is older and cannot watch files: deploy this one to it (`photinus hosts deploy`)"


class Opens(Protocol):
    """What is needed of a session, beneath the runs that it tells itself."""

    @property
    def link(self) -> LinkState:
        """The link now."""

    def watch(self, path: str, cursor: None = ..., last: int = ..., goes_on: bool = ...) -> int:
        """Follow a file."""

    def unfollow(self, key: int) -> None:
        """Follow it no longer."""


Answered = Callable[[FilesFound | CallError], None]
Ask = Callable[[FilesArgs, Answered], None]


@dataclass(slots=True)
class _Watched:
    """One run: its files, and what is told of it."""

    files: TrainingFiles
    view: RunView
    changed_at: float  # when its files were written last, by our own clock
    pause: float = 0.0  # the longest so far between two writes


@dataclass(slots=True)
class _Stream:
    """A followed log, or the metrics files of a run one after the other.

    Attributes:
        key: what its owner knows it by.
        open: the key of the file that is open, the `part`th of it.
    """

    key: int
    run_id: str
    what: str
    last: int
    waiting: list[str]
    open: int = 0
    part: int = -1


class WatchedRuns:
    """Used by the owner of a session, on the thread that drains it."""

    def __init__(self, session: Opens, patterns: Sequence[str], ask: Ask, clock: Callable[[], float]) -> None:
        """`ask` asks the host for files, and gives the answer to a function on any thread."""
        self._session, self._ask, self._clock = session, ask, clock
        self._patterns = tuple(patterns)
        self._answers: deque[FilesFound | CallError] = deque()
        self._next_look = 0.0
        self._asked = False
        self._known: dict[str, _Watched] = {}  # by place
        self._views: dict[str, _Watched] = {}  # by run id
        self._host_runs: dict[str, RunView] = {}
        self._seen: RunsSeen | None = None
        self._troubles: tuple[str, ...] = ()
        self._unreadable: dict[str, str] = {}  # by run id, why
        self._streams: dict[int, _Stream] = {}  # by the key of the file that is open
        self._matched: set[int] = set()  # patterns that have been kept
        self._seq = count(1)

    def __contains__(self, run_id: object) -> bool:
        return run_id in self._views

    @property
    def runs(self) -> dict[str, TrainingFiles]:
        """The files of every run by its id."""
        return {run_id: one.files for run_id, one in self._views.items()}

    @property
    def views(self) -> list[RunView]:
        """Every run as it is told."""
        return [one.view for one in self._views.values()]

    def through(self, updates: Iterable[Update]) -> list[Update]:
        """The session's updates with those of what is watched: its files' bytes become those of its runs."""
        out: list[Update] = []
        for update in updates:
            out += self._one(update)
        self._look()
        while self._answers:
            out += self._take(self._answers.popleft())
        return out

    def look_now(self) -> None:
        """Look again at the next turn."""
        self._next_look = 0.0

    def take(self, answer: FilesFound) -> None:
        """Take an answer that was asked for elsewhere: what is known by it need not be waited for."""
        self._note(answer)

    def follow(self, run_id: str, what: str, last: int) -> int:
        """Follow the log of a run, or (`events`) its metrics; the key of its bytes."""
        files = self._views[run_id].files
        if what == "log":
            paths = [files.log] if files.log else []
            table = files.log.endswith(".csv") and last >= LARGE  # it begins with the names of its columns
            last = WHOLE if table or files.bytes <= SMALL else last
        else:
            large = files.bytes > LARGE and last < LARGE
            paths, last = [] if large else list(files.metrics), WHOLE
        stream = _Stream(0, run_id, "log" if what == "log" else "events", last, paths)
        self._open_next(stream)
        return stream.key

    def unfollow(self, key: int) -> bool:
        """Follow it no longer; False where the key is none of ours."""
        stream = next((one for one in self._streams.values() if one.key == key), None)
        if stream is None:
            return key < 0
        del self._streams[stream.open]
        self._session.unfollow(stream.open)
        return True

    def _open_next(self, stream: _Stream) -> None:
        """Follow the next file; the last one goes on. A run without one has a key that no file has."""
        if stream.waiting:
            path = stream.waiting.pop(0)
            stream.open = self._session.watch(path, None, stream.last, not stream.waiting)
            stream.part += 1
            self._streams[stream.open] = stream
        stream.key = stream.key or stream.open or -next(self._seq)

    def _one(self, update: Update) -> Iterable[Update]:
        match update:
            case RunsSeen():
                self._seen = update
                self._host_runs = {view.run_id: view for view in update.runs}
                return (self._all(update.wall, update.troubles),)
            case RunChanged():
                self._host_runs[update.run.run_id] = update.run
            case HostSeen():
                self.look_now()
            case Bytes() | StreamBegin() | StreamEnd() | Truncated() | Gap():
                stream = self._streams.get(update.key)
                return (update,) if stream is None else self._of_stream(stream, update)
        return (update,)

    def _of_stream(
        self, stream: _Stream, update: Bytes | StreamBegin | StreamEnd | Truncated | Gap
    ) -> Iterable[Update]:
        keyed = replace(update, key=stream.key, run_id=stream.run_id)
        if isinstance(keyed, Bytes):
            return (replace(keyed, what=stream.what, gen=keyed.gen + (stream.part << PART)),)
        if isinstance(keyed, Truncated):
            return (replace(keyed, gen=keyed.gen + (stream.part << PART)),)
        if not isinstance(keyed, StreamEnd):
            return (keyed,)
        del self._streams[update.key]
        if keyed.reason:
            self._unreadable[stream.run_id] = keyed.reason
        elif stream.waiting:
            self._open_next(stream)
            return ()
        return (keyed,)

    def _look(self) -> None:
        now = self._clock()
        if self._asked or now < self._next_look or not self._session.link.is_up:
            if self._asked and not self._session.link.is_up:
                self._asked = False
            return
        self._asked, self._next_look = True, now + LOOK_S
        self._ask(FilesArgs(patterns=list(self._patterns), inside=list(COUNTED)), self._answers.append)

    def _take(self, answer: FilesFound | CallError) -> Iterable[Update]:
        self._asked = False
        if isinstance(answer, CallError):
            if answer.code == "unknown_verb":
                self._next_look = float("inf")  # until another agent answers hello
                return self._tell(OLDER_AGENT)
            return () if answer.code in ("unreachable", "timeout") else self._tell(answer.message)
        changed, news = self._note(answer)
        troubles = (*answer.troubles, *(f"{run_id}: {why}" for run_id, why in self._unreadable.items()))
        if answer.left_out:
            troubles += (f"{answer.left_out:,} more watched files are left out: name narrower patterns",)
        if self._seen is None:
            return ()
        if changed or troubles != self._troubles:
            self._troubles = troubles
            return (self._all(answer.wall, troubles),)
        return [RunChanged(view) for view in news]

    def _tell(self, trouble: str) -> Iterable[Update]:
        if self._seen is None or self._troubles == (trouble,):
            return ()
        self._troubles = (trouble,)
        return (self._all(self._seen.wall, self._troubles),)

    def _all(self, wall: float, troubles: tuple[str, ...]) -> RunsSeen:
        """Every run, the host's own and what is watched."""
        assert self._seen is not None
        runs = (*self._host_runs.values(), *self.views)
        return replace(self._seen, runs=runs, wall=wall, troubles=troubles)

    def _note(self, answer: FilesFound) -> tuple[bool, list[RunView]]:
        """Take what was found: whether there are other runs than before, and the views that changed."""
        now = self._clock()
        found = {files.place: files for files in training_files(answer.files)[:RUNS_MAX]}
        self._matched |= {file.pattern for file in answer.files if not file.path.endswith(CHECKPOINT)}
        for number, pattern in enumerate(self._patterns):
            if number not in self._matched:
                found.setdefault(pattern, TrainingFiles(pattern, "promised"))
        before = set(self._known)
        for place in [place for place, one in self._known.items() if place not in found]:
            if self._known[place].view.state == "awaited":
                self._forget(place)
        news = [self._update(files, now, answer.wall) for files in found.values()]
        news += [self._gone(one) for place, one in self._known.items() if place not in found]
        return set(self._known) != before, [view for view in news if view is not None]

    def _update(self, files: TrainingFiles, now: float, wall: float) -> RunView | None:
        """The view of one run's files where it is new or changed."""
        known = self._known.get(files.place)
        if known is None:
            changed_at = now - max(0.0, wall - files.at) if files.at else now
            one = _Watched(files, _view(self._new_id(files.place), files, next(self._seq)), changed_at)
            self._known[files.place] = self._views[one.view.run_id] = one
            one.view = replace(one.view, state=self._state(one, now))
            return one.view
        if (files.bytes, files.at) != (known.files.bytes, known.files.at):
            if known.view.state == "writing":
                known.pause = max(known.pause, min(now - known.changed_at, PAUSE_MAX))
            known.changed_at = now
        moved = (files.metrics, files.log) != (known.files.metrics, known.files.log)
        known.files = files
        if moved:
            self._follow_moved(known)
        state = self._state(known, now)
        if state == known.view.state and not moved:
            return None
        known.view = replace(_view(known.view.run_id, files, next(self._seq)), state=state)
        return known.view

    def _follow_moved(self, one: _Watched) -> None:
        """Another file of the run is the newest by now: go on there."""
        for stream in [each for each in self._streams.values() if each.run_id == one.view.run_id]:
            paths = [one.files.log] if stream.what == "log" else one.files.metrics[-1:]
            key = stream.open
            del self._streams[key]
            self._session.unfollow(key)
            stream.waiting = [path for path in paths if path]
            self._open_next(stream)

    def _state(self, one: _Watched, now: float) -> str:
        if not one.files.at:
            return "awaited"
        return "writing" if now - one.changed_at < max(SILENT_S, PAUSES * one.pause) else "silent"

    def _gone(self, one: _Watched) -> RunView | None:
        if one.view.state == "gone":
            return None
        one.view = replace(one.view, state="gone", seq=next(self._seq))
        return one.view

    def _forget(self, place: str) -> None:
        del self._views[self._known.pop(place).view.run_id]

    def _new_id(self, place: str) -> str:
        """The end of its path that no other run has: it holds a `/`, which no run of ours does."""
        parts = PurePosixPath(place).parts
        for size in range(2, len(parts) + 1):
            name = "/".join(parts[-size:]).replace("//", "/")
            if "/" in name and name not in self._views:
                return name
        return place


def _view(run_id: str, files: TrainingFiles, seq: int) -> RunView:
    """What is known of a run that is only looked at."""
    kind = "trainer" if files.is_ours else "watched" if files.metrics else "command"
    return RunView(
        run_id=run_id, name=PurePosixPath(run_id).name, kind=kind, state="awaited", seq=seq, attempt=1,
        reason="", code=None, signal=None, device="", preset=f"watched {files.what}", since=files.at,
        created=files.at, max_steps=0, pid=None, supervisor_pid=None, resumable=False,
        why_not="it is only watched", last_checkpoint=None, log_file=PurePosixPath(files.log).name,
        dir=files.place, start_id="",
    )  # fmt: skip
