"""The newest that a client heard of each run; what is older never overwrites it."""

import threading
import time
from collections.abc import Callable, Iterable

from remote.protocol.results import RunList
from remote.protocol.views import ExtendedRun, RunView

RUNS_MAX = 10_000  # of one host; what it tells beyond them is not remembered


class RunCache:
    """Run views by id, safe to read from any thread."""

    def __init__(self) -> None:
        self._runs: dict[str, RunView] = {}
        self._changed = threading.Condition()
        self._is_whole = False

    def get(self, run_id: str) -> RunView | None:
        """The newest view of a run."""
        with self._changed:
            return self._runs.get(run_id)

    def all(self) -> tuple[RunView, ...] | None:
        """The newest view of every run, in no order; None until the host has listed them."""
        with self._changed:
            return tuple(self._runs.values()) if self._is_whole else None

    def put(self, view: RunView) -> RunView | None:
        """Take a view; None if it is older than the one we have, says nothing new, or is one run too many."""
        with self._changed:
            known = self._runs.get(view.run_id)
            if known is not None and (view.seq < known.seq or view == known):
                return None
            if known is None and len(self._runs) >= RUNS_MAX:
                return None
            self._runs[view.run_id] = view
            self._changed.notify_all()
            return view

    def put_all(self, views: Iterable[RunView]) -> tuple[RunView, ...]:
        """Take a whole list; what it says, with newer views in place of older ones."""
        listed = []
        for view in views:
            self.put(view)
            if (known := self.get(view.run_id)) is not None:
                listed.append(known)
        with self._changed:
            self._is_whole = True
        return tuple(listed)

    def clear(self) -> None:
        """Forget everything: another state root answers under this name."""
        with self._changed:
            self._runs.clear()
            self._is_whole = False

    def wait(self, run_id: str, predicate: Callable[[RunView], bool], timeout: float) -> RunView | None:
        """Wait until the newest view satisfies `predicate`; None after `timeout` seconds."""
        deadline = time.monotonic() + timeout
        with self._changed:
            while True:
                view = self._runs.get(run_id)
                if view is not None and predicate(view):
                    return view
                if (left := deadline - time.monotonic()) <= 0:
                    return None
                self._changed.wait(left)


class AnsweredRuns:
    """What verbs answered of runs. It may be newer than the board, which tells its owner of every change."""

    def __init__(self) -> None:
        self._runs: dict[str, RunView] = {}

    def take(self, answer: object) -> None:
        """Take a verb's answer: a run, a list of runs, or neither."""
        runs = answer.runs if isinstance(answer, RunList) else [answer]
        for run in runs:
            if isinstance(run, RunView) and (run.run_id in self._runs or len(self._runs) < RUNS_MAX):
                self._runs[run.run_id] = run.view if isinstance(run, ExtendedRun) else run

    def over(self, runs: Iterable[RunView]) -> tuple[RunView, ...]:
        """These runs, with what was answered where it is newer."""
        newest = {run.run_id: run for run in runs}
        for run in list(self._runs.values()):
            known = newest.get(run.run_id)
            if known is None or run.seq > known.seq:
                newest[run.run_id] = run
        return tuple(newest.values())
