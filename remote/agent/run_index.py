"""Which runs there are, live or over, without reading the whole history again.

An entry of a finished run counts only while its `state.json` is the very file that the entry was made from:
the index saves reading, it is never believed over a file, and without it everything is read anew.
"""

import json
import os
import stat
import threading
import time
from collections.abc import Generator, Iterable
from dataclasses import dataclass
from pathlib import Path

from remote.agent.index_file import NOTHING, Entry, IndexFile, Mark
from remote.agent.kept.labels import FILE as LABELS
from remote.agent.kept.labels import read_labels
from trainer.run.home import Home
from trainer.run.layout import RUN_ID, RunDir
from trainer.run.records import read_state
from trainer.run.run_errors import RunError
from trainer.run.states import TERMINAL

SLICE_S = 0.02
STATE_MAX = 1 << 16
SAVE_EVERY_S = 10.0
SPARE_LINES = 256
UNKNOWN: Mark = (-1, -1, -1, -1)
Steps = Generator[None, None, None]


def mark_of(path: str | Path) -> Mark:
    """What changes when a file is written, replaced or restored; zeros while there is none."""
    try:
        found = os.lstat(path)
    except (FileNotFoundError, NotADirectoryError):
        return NOTHING
    except OSError:  # it may not be looked at: who reads it is told why
        return UNKNOWN
    return (found.st_mtime_ns, found.st_ctime_ns, found.st_ino, found.st_size)


@dataclass(frozen=True, slots=True)
class Broken:
    """A run whose state cannot be read, and why."""

    mark: Mark
    why: str


class RunIndex:
    """The runs of one state root as the last look found them.

    Attributes:
        finished: those that are over, by id.
        broken: those whose state cannot be read, by id.
        is_whole: whether every folder was looked at once; `looked_at`: when the newest whole look began.
    """

    def __init__(self, home: Home) -> None:
        self._home = home
        self._base = str(home.runs_dir)
        self._file = IndexFile(home.root / "index", self._base)
        self._live: dict[str, Mark] = {}
        self._strangers: set[str] = set()
        self._is_loaded = False
        self._unwritten: dict[str, Entry] = {}
        self._saved_at = -SAVE_EVERY_S
        self._news: set[str] = set()
        self._lock = threading.RLock()  # `processes` and `doctor` look from a thread of their own
        self.finished: dict[str, Entry] = {}
        self.broken: dict[str, Broken] = {}
        self.is_whole = False
        self.looked_at = 0.0

    @property
    def live(self) -> list[RunDir]:
        """The runs that were not over when they were last looked at."""
        with self._lock:
            names = sorted(self._live)
        return [self._home.run(name) for name in names]

    @property
    def known(self) -> list[RunDir]:
        """Every run whose state can be read, by id."""
        with self._lock:
            names = sorted({*self._live, *self.finished})
        return [self._home.run(name) for name in names]

    def refresh(self) -> Steps:
        """Look at every folder, in slices of 20 ms: the files decide."""
        self._load()
        began = time.monotonic()
        until = began + SLICE_S
        seen = os.listdir(self._base)  # noqa: PTH208  thousands of them
        for name in seen:
            self.look(name)
            if time.monotonic() > until:
                yield
                until = time.monotonic() + SLICE_S
        with self._lock:
            self._drop({*self._live, *self.finished, *self.broken}.difference(seen))
        self.is_whole, self.looked_at = True, began
        self.keep()

    def look_now(self) -> None:
        """`refresh` at once."""
        for _ in self.refresh():
            pass

    def look(self, name: str) -> bool:
        """Look at one folder; whether its state is another one than before."""
        entry = self.finished.get(name)
        if entry is None and (name in self._strangers or not self._is_run(name)):
            return False
        folder = f"{self._base}/{name}/"
        mark = mark_of(folder + "state.json")
        if entry is not None:
            if entry.mark == mark and entry.labels == mark_of(folder + LABELS):
                return False
        elif mark == self._live.get(name, NOTHING):
            return False  # still live as it was, or not begun yet
        elif (known := self.broken.get(name)) is not None and known.mark == mark:
            return False
        with self._lock:
            self._sort(name, mark)
        return True

    def newest(self, *, archived: bool = False) -> list[Entry]:
        """The finished runs that are listed, or those that are archived; those that ended last first."""
        with self._lock:
            entries = [entry for entry in self.finished.values() if entry.is_archived is archived]
        return sorted(entries, key=lambda entry: (-entry.since, entry.run_id))

    def take_news(self) -> set[str]:
        """Runs whose state is another one since this was asked last; what the first look found is none."""
        news, self._news = self._news, set()
        return news

    def learnt(self, entry: Entry) -> None:
        """An entry was added to: it is worth writing."""
        self._unwritten[entry.run_id] = entry

    def keep(self) -> None:
        """Write what changed, at most every 10 s."""
        now = time.monotonic()
        if not self._unwritten or now - self._saved_at < SAVE_EVERY_S:
            return
        learnt, self._unwritten, self._saved_at = self._unwritten, {}, now
        if self._file.lines + len(learnt) > 2 * len(self.finished) + SPARE_LINES:
            self._file.replace([*self.newest(), *self.newest(archived=True)])
        else:
            self._file.add(learnt.values())

    def close(self) -> None:
        """Write what is left to write."""
        self._saved_at = -SAVE_EVERY_S
        self.keep()

    def _load(self) -> None:
        if not self._is_loaded:
            self._is_loaded = True
            self.finished = self._file.load()

    def _is_run(self, name: str) -> bool:
        if name in self._live or name in self.broken or RUN_ID.fullmatch(name):
            return True
        self._strangers.add(name)
        return False

    def _sort(self, name: str, mark: Mark) -> None:
        """Put a run where its state says that it belongs."""
        if self.is_whole or name in self._live:
            self._news.add(name)
        self._forget([name])
        if mark == NOTHING:
            return  # gone, or not begun: no run of ours
        try:
            state, since = _peek(f"{self._base}/{name}/state.json") or self._read(name)
        except (RunError, OSError) as error:
            self.broken[name] = Broken(mark, str(error))
            return
        if mark != mark_of(f"{self._base}/{name}/state.json"):
            self._live[name] = UNKNOWN  # it changed under our eyes: looked at again
        elif state in TERMINAL:
            entry = self.finished[name] = Entry(name, mark, state, since)
            self._take_labels(entry)
            self.learnt(entry)
        else:
            self._live[name] = mark

    def _take_labels(self, entry: Entry) -> None:
        """Mark first: what is written while it is read makes another mark, and is looked at again."""
        entry.labels = mark_of(f"{self._base}/{entry.run_id}/{LABELS}")
        if entry.labels != NOTHING:
            entry.is_archived = read_labels(self._home.run(entry.run_id)).archived > 0

    def _read(self, name: str) -> tuple[str, float]:
        state = read_state(self._home.run(name))
        if state is None:
            raise RunError(f"{name} has lost its state.json")
        return str(state.state), float(state.since)

    def _drop(self, names: Iterable[str]) -> None:
        """Forget what has no folder any more; one that was made while we looked has one."""
        self._forget([name for name in names if mark_of(f"{self._base}/{name}") == NOTHING])

    def _forget(self, names: Iterable[str]) -> None:
        for name in names:
            self._live.pop(name, None)
            self.broken.pop(name, None)
            self.finished.pop(name, None)
            self._unwritten.pop(name, None)


def _peek(path: str) -> tuple[str, float] | None:
    """State and time of a plain, small, sound `state.json`, quickly; None: read it with care."""
    try:
        fd = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
    except OSError:
        return None
    try:
        if not stat.S_ISREG(os.fstat(fd).st_mode):
            return None
        data = os.read(fd, STATE_MAX)
    except OSError:
        return None
    finally:
        os.close(fd)
    try:
        raw = json.loads(data)
        state, since = raw["state"], raw["since"]
        is_over = state in TERMINAL and isinstance(since, int | float) and 0 <= since < 1 << 40
    except (ValueError, KeyError, TypeError, RecursionError):
        return None
    return (str(state), float(since)) if is_over else None  # a live run is read whole anyway
