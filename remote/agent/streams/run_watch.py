"""Tells a client of every run that changed, by the stamps of its files."""

import time

from remote.agent.run_views import Stamp, Views, readable, stamp
from remote.protocol.views import RunView
from trainer.run.layout import RunDir

HOT_S = 0.1
ALL_S = 1.0
EAGER_S = 1.0


class Watch:
    """Looks at live runs every 100 ms and at all of them every second, or less often where that is dear."""

    def __init__(self, views: Views) -> None:
        self._views = views
        self._seen: dict[str, tuple[Stamp, ...]] = {}
        self._said: dict[str, RunView] = {}
        self._hot: list[RunDir] = []
        self._next_hot = self._next_all = self._eager_until = 0.0
        self._folder: Stamp = (0, 0, 0)

    @property
    def live(self) -> list[RunDir]:
        """Runs that were not over when they were last looked at."""
        return list(self._hot)

    def next_due(self) -> float:
        """When to look next, monotonic seconds."""
        return min(self._next_hot, self._next_all)

    def prime(self) -> list[RunView]:
        """Every run's view, newest first; from here on only changes are told."""
        self._look(self._views.runs())
        return sorted(self._said.values(), key=lambda view: (view.created, view.run_id), reverse=True)

    def changes(self, now: float) -> list[RunView]:
        """The views that changed since they were last told."""
        if now >= self._next_all or (now < self._eager_until and now >= self._next_hot):
            began = time.monotonic()
            changed = self._look(self._views.runs())
            self._next_all = now + max(ALL_S, 100 * (time.monotonic() - began))
            self._next_hot = now + HOT_S
            return changed
        if now >= self._next_hot:
            self._next_hot = now + HOT_S
            if (folder := stamp(self._views.runs_dir)) != self._folder:  # a new run, about to get its state
                self._folder, self._eager_until = folder, now + EAGER_S
            return self._look(self._hot)
        return []

    def _look(self, runs: list[RunDir]) -> list[RunView]:
        changed = []
        for run in runs:
            mark = self._views.fingerprint(run)
            if self._seen.get(run.run_id) == mark:
                continue
            self._seen[run.run_id] = mark
            view = readable(self._views, run)
            if isinstance(view, RunView) and view != self._said.get(run.run_id):
                self._said[run.run_id] = view
                changed.append(view)
        self._hot = [run for run in runs if (view := self._said.get(run.run_id)) and not view.is_terminal]
        return changed
