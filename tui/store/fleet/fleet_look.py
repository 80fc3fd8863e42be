"""How the operator looks at the Fleet: filter, order, folds and marks; and which runs a key acts on."""

import math
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field

from tui.store.fleet.run_order import FOLD, by_need
from tui.store.fleet.run_query import RunQuery
from tui.store.runs import RunRecord
from tui.store.store import RunKey, Store

Value = float | str | None
BY: dict[str, Callable[[RunRecord], Value]] = {
    "run": lambda run: run.name.lower(),
    "state": lambda run: run.view.state,
    "step": lambda run: run.step,
    "loss": lambda run: run.loss,
    "u_val": lambda run: run.newest("u_val"),
    "R": lambda run: run.newest("R"),
    "grad": lambda run: run.newest("grad_norm"),
    "load": lambda run: run.view.device,
    "data": lambda run: -run.view.since,
}
"""Columns by which runs are sorted, and what of a run; `data` by the newest change of state."""


@dataclass(frozen=True, slots=True)
class HostGroup:
    """A host and its runs as they are shown. `hidden`: so many more are folded away."""

    host: str
    keys: tuple[RunKey, ...]
    hidden: int = 0


@dataclass(slots=True)
class FleetLook:
    """What the operator has chosen.

    Attributes:
        unfolded: hosts all of whose runs are shown.
        query: the filter; one without words shows every run.
        column: by which runs of a host are sorted; empty: live, failed and unseen, the rest.
        turned: the other way round.
        marks: runs that acts are done to, in place of the one under the cursor.
    """

    unfolded: set[str] = field(default_factory=set)
    query: RunQuery = field(default_factory=lambda: RunQuery.of(""))
    column: str = ""
    turned: bool = False
    marks: set[RunKey] = field(default_factory=set)

    def groups(self, store: Store, wall: float) -> list[HostGroup]:
        """What is shown, hosts in the operator's order; with a filter those that have a run that fits."""
        self.marks &= store.runs.keys()
        of_host: dict[str, list[RunKey]] = {name: [] for name in store.hosts}
        for key in store.runs:
            of_host[key[0]].append(key)
        found = [self._group(store, name, keys, wall) for name, keys in of_host.items()]
        return [group for group in found if group.keys or not self.query.words]

    def _group(self, store: Store, host: str, keys: list[RunKey], wall: float) -> HostGroup:
        host_wall = wall + (store.hosts[host].wall_ahead or 0.0)
        fitting = [key for key in keys if self.query.fits(store.runs[key], host_wall)]
        shown, first = by_need(store, fitting)
        if len(store.hosts) > 1 and host not in self.unfolded and not self.query.words:
            shown = shown[: first + FOLD]
        return HostGroup(host, tuple(self._sorted(store, shown)), len(fitting) - len(shown))

    def _sorted(self, store: Store, keys: list[RunKey]) -> list[RunKey]:
        """By the chosen column; what a run does not tell comes last, either way."""
        by = BY.get(self.column)
        if by is None:
            return keys
        known = [(value, key) for key in keys if not is_none(value := by(store.runs[key]))]
        known.sort(key=lambda one: one[0], reverse=self.turned)  # type: ignore[arg-type, return-value]
        told = {key for _, key in known}
        return [key for _, key in known] + [key for key in keys if key not in told]

    def sort_by(self, column: str) -> None:
        """Sort by a column; by the same once more turns it round, and a third time is as at first."""
        if column not in BY:
            return
        if column != self.column:
            self.column, self.turned = column, False
        elif not self.turned:
            self.turned = True
        else:
            self.column, self.turned = "", False

    def next_column(self, columns: Iterable[str]) -> None:
        """Sort by the next of the columns that are shown; after the last as at first."""
        order = ["", *(column for column in columns if column in BY)]
        place = order.index(self.column) if self.column in order else 0
        self.column, self.turned = order[(place + 1) % len(order)], False

    def mark(self, key: RunKey) -> None:
        """Mark a run, or take its mark away."""
        self.marks ^= {key}

    def mark_all(self, keys: Iterable[RunKey]) -> None:
        """Mark these; where all of them are marked, none any more."""
        wanted = set(keys)
        self.marks = self.marks - wanted if wanted <= self.marks else self.marks | wanted

    def targets(self, under_cursor: RunKey | None) -> tuple[RunKey, ...]:
        """The runs that a key acts on: the marked ones, else the one under the cursor."""
        return (
            tuple(sorted(self.marks)) if self.marks else (under_cursor,) if under_cursor is not None else ()
        )


def is_none(value: Value) -> bool:
    """Whether a run does not tell it, or tells no number."""
    return value is None or (isinstance(value, float) and math.isnan(value))
