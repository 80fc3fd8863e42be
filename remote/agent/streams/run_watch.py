"""Tells a client of every run that changed, by the stamps of its files."""

import os
import time

from remote.agent.run_index import RunIndex
from remote.agent.run_views import Stamp, Views, readable, stamp
from remote.protocol.views import RunView
from trainer.run.home import Home
from trainer.run.layout import RunDir

HOT_S = 0.1
EAGER_S = 1.0
DEAR = 20  # a thousand runs that wait must not take more than a twentieth of a processor


class Watch:
    """Looks at live runs and new folders every 100 ms; of those that are over the index tells changes."""

    def __init__(self, home: Home, index: RunIndex, views: Views) -> None:
        self._home, self._index, self._views = home, index, views
        self._seen: dict[str, tuple[Stamp, ...]] = {}
        self._sent: dict[str, RunView] = {}
        self._folders: set[str] | None = None
        self._new: set[str] = set()
        self._next_hot = self._eager_until = 0.0
        self._folder: Stamp = (0, 0, 0)

    def next_due(self) -> float:
        """When to look next, monotonic seconds."""
        return self._next_hot

    def changes(self, now: float) -> list[RunView]:
        """The views that changed since they were last told."""
        if now < self._next_hot:
            return []
        began = time.thread_time()
        changed = self._look(now)
        self._next_hot = now + max(HOT_S, DEAR * (time.thread_time() - began))
        return changed

    def _look(self, now: float) -> list[RunView]:
        self._look_for_new(now)
        live = {run.run_id: run for run in self._index.live}
        for run_id in live:
            self._index.look(run_id)
        others = self._index.take_news().difference(live)
        changed = [*live.values(), *(self._home.run(run_id) for run_id in sorted(others))]
        return [view for run in changed if (view := self._changed(run)) is not None]

    def _look_for_new(self, now: float) -> None:
        """A new folder is a new run, about to get its state."""
        if (folder := stamp(self._home.runs_dir)) != self._folder:
            self._folder, self._eager_until = folder, now + EAGER_S
            folders = set(os.listdir(self._home.runs_dir))  # noqa: PTH208  thousands of them
            if self._folders is not None:
                self._new |= folders - self._folders
            self._folders = folders
        for run_id in self._new:
            self._index.look(run_id)
        if now >= self._eager_until:
            self._new.clear()

    def _changed(self, run: RunDir) -> RunView | None:
        mark = self._views.fingerprint(run)
        if self._seen.get(run.run_id) == mark:
            return None
        self._seen[run.run_id] = mark
        view = readable(self._views, run)
        if not isinstance(view, RunView) or view == self._sent.get(run.run_id):
            return None
        self._sent[run.run_id] = view
        if view.is_terminal:  # told once; of thousands that are over nothing is kept
            del self._sent[run.run_id], self._seen[run.run_id]
            self._views.forget(run)
        return view
