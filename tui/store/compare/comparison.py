"""Which runs and baselines lie over one another, each under a letter that stays its own."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from trainer.telemetry.bands import Colour
from tui.store.compare.baseline_file import Baseline
from tui.store.metrics.catalogue import LOSSES, Catalogue, loss_of, metric
from tui.store.metrics.series import Series
from tui.store.runs import RunRecord
from tui.store.store import RunKey, Store

LETTERS = "ABCDEF"
COLOURS: Mapping[str, Colour] = {
    "A": "blue", "B": "amber", "C": "green", "D": "violet", "E": "cyan", "F": "red",
}  # fmt: skip
EACH_LOSS = ""
"""In place of a metric: of each its own loss, whatever it calls it."""

Member = RunKey | str
"""A run, or the name of a baseline."""


@dataclass(frozen=True, slots=True)
class Contender:
    """One of those that are compared.

    Attributes:
        metric: the name under which it tells what is shown; empty where it does not.
        series: the values of that; empty where it tells none.
        run: None for a baseline.
    """

    letter: str
    member: Member
    name: str
    metric: str
    series: Series
    run: RunRecord | None = None
    baseline: Baseline | None = None
    is_pinned: bool = False

    @property
    def colour(self) -> Colour:
        """The colour of its curve."""
        return COLOURS[self.letter]

    def at(self, step: float | None) -> float | None:
        """Its value at a step or before; None without one. None as the step: the newest."""
        if step is None:
            return self.series.last
        index = self.series.index_at(step)
        return None if index is None else self.series.tree.values[index]


class Comparison:
    """What is compared.

    Attributes:
        metric: what is shown of each; EACH_LOSS for its own loss.
        pinned: the letter of the one that is drawn on top, and that the others are held against.
    """

    def __init__(self) -> None:
        self._of: dict[str, Member] = {}
        self.metric = EACH_LOSS
        self._pinned = ""

    @property
    def members(self) -> tuple[Member, ...]:
        """Runs and baselines, by their letters."""
        return tuple(self._of[letter] for letter in LETTERS if letter in self._of)

    @property
    def runs(self) -> tuple[RunKey, ...]:
        """The runs alone."""
        return tuple(member for member in self.members if not isinstance(member, str))

    @property
    def pinned(self) -> str:
        """The letter of the one on top; the first, unless another one was chosen."""
        return self._pinned if self._pinned in self._of else next(iter(sorted(self._of)), "")

    def add(self, member: Member) -> bool:
        """Compare it too, under the first free letter; false where all are taken."""
        free = next((letter for letter in LETTERS if letter not in self._of), None)
        if member in self._of.values():
            return True
        if free is None:
            return False
        self._of[free] = member
        return True

    def remove(self, member: Member) -> None:
        """Compare it no more; the others keep their letters."""
        self._of = {letter: one for letter, one in self._of.items() if one != member}

    def take(self, keys: Sequence[RunKey]) -> int:
        """Compare these runs, and the baselines as before; how many found no letter."""
        for run in [run for run in self.runs if run not in keys]:
            self.remove(run)
        return sum(not self.add(key) for key in keys)

    def pin(self, member: Member) -> None:
        """Draw it on top, and hold the others against it."""
        self._pinned = next((letter for letter, one in self._of.items() if one == member), "")

    def drop_gone(self, store: Store) -> None:
        """Runs that their hosts have forgotten are compared no more."""
        for key in self.runs:
            if key not in store.runs:
                self.remove(key)

    def contenders(self, store: Store, baselines: Mapping[str, Baseline]) -> list[Contender]:
        """Those that are compared, by their letters."""
        found = []
        for letter in LETTERS:
            member = self._of.get(letter)
            if member is None:
                continue
            run = None if isinstance(member, str) else store.runs.get(member)
            baseline = baselines.get(member) if isinstance(member, str) else None
            told = run.series if run is not None else baseline.series if baseline is not None else {}
            name = self.metric or loss_of(run.catalogue if run is not None else catalogue_of(told))
            series = told.get(name)
            found.append(
                Contender(
                    letter,
                    member,
                    run.name if run is not None else str(member),
                    name if series is not None and len(series) else "",
                    series if series is not None else Series(),
                    run,
                    baseline,
                    letter == self.pinned,
                )
            )
        return found


def catalogue_of(series: Mapping[str, Series]) -> Catalogue:
    """The metrics of a baseline."""
    return {name: metric(name, one.steps[0] if len(one) else 0) for name, one in series.items()}


def metrics_of(contenders: Iterable[Contender]) -> dict[str, int]:
    """Every metric that one of them tells, and how many do: first those that most tell, then losses."""
    counts: dict[str, int] = {}
    for one in contenders:
        told = one.run.series if one.run is not None else one.baseline.series if one.baseline else {}
        for name, series in told.items():
            if len(series):
                counts[name] = counts.get(name, 0) + 1
    first = {name: place for place, name in enumerate(LOSSES)}
    order = {name: place for place, name in enumerate(counts)}
    names = sorted(counts, key=lambda name: (-counts[name], first.get(name, len(first)), order[name]))
    return {name: counts[name] for name in names}


def common_step(contenders: Iterable[Contender]) -> int | None:
    """The newest step that all that tell the metric have reached; None where none does."""
    reached = [one.series.steps[-1] for one in contenders if len(one.series)]
    begun = [one.series.steps[0] for one in contenders if len(one.series)]
    return min(reached) if reached and min(reached) >= max(begun) else None
