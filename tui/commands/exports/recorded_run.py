"""What one run has recorded, as an export needs it: superseded rows gone, numbers as numbers again."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from math import inf, nan
from typing import TypeAlias, TypeVar

from trainer.telemetry.events import (
    Checkpoint,
    Evaluation,
    Event,
    Floors,
    Hello,
    Metrics,
    Note,
    Phase,
    Probe,
    Resume,
    Sample,
)

Rows: TypeAlias = Metrics | Evaluation | Probe
Point: TypeAlias = tuple[int, float]
E = TypeVar("E", bound=Event)
KINDS: Mapping[type, str] = {Metrics: "train", Evaluation: "eval", Probe: "probe"}
KEPT = 50  # of samples, and of notes, are shown


@dataclass
class RecordedRun:
    """One run.

    Attributes:
        name, where: for people, and from where it was read.
        slug: what a file of it may be called.
        facts, config, environment: what its host says of it beside, as texts.
        events: rows and whatever else was recorded and stands, in that order.
        planned: steps, 0 where that is not known.
    """

    name: str
    where: str
    slug: str
    facts: dict[str, str] = field(default_factory=dict)
    config: Mapping[str, str] = field(default_factory=dict)
    environment: Mapping[str, str] = field(default_factory=dict)
    events: list[Event] = field(default_factory=list)
    planned: int = 0

    def take(self, events: Iterable[Event]) -> None:
        """Take what it recorded next."""
        for event in events:
            match event:
                case Metrics() | Evaluation() | Probe() | Sample() | Checkpoint() | Note() | Floors():
                    self.events.append(event)
                case Resume():
                    self.go_back(event.step or 0)
                case Hello():
                    self.planned = event.max_steps or self.planned
                case Phase(phase="training"):
                    self.planned = event.total or self.planned
                case _:
                    pass

    def go_back(self, step: int) -> None:
        """What stands past a step that was resumed from is superseded."""
        self.events = [one for one in self.events if isinstance(one, Note) or (one.step or 0) <= step]

    def _of(self, kind: type[E]) -> list[E]:
        return [one for one in self.events if isinstance(one, kind)]

    @property
    def rows(self) -> list[Rows]:
        """The numbers."""
        return [one for one in self.events if isinstance(one, Rows)]

    @property
    def samples(self) -> list[Sample]:
        """The newest texts that it generated."""
        return self._of(Sample)[-KEPT:]

    @property
    def notes(self) -> list[Note]:
        """The newest sentences for the operator."""
        return self._of(Note)[-KEPT:]

    @property
    def checkpoints(self) -> list[Checkpoint]:
        """What it saved."""
        return self._of(Checkpoint)

    @property
    def floors(self) -> Floors | None:
        """What its data allows, where it told that."""
        return next(reversed(self._of(Floors)), None)

    @property
    def names(self) -> list[str]:
        """Every metric, in the order in which they were first told."""
        return list(dict.fromkeys(name for row in self.rows for name in (*row.values, *row.nonfinite)))

    def series(self) -> dict[str, list[Point]]:
        """Step and value of each metric, NaN where it was not finite; what was not measured is absent.

        Of a metric that training and evaluation both tell, the latter's is called `val NAME`.
        """
        found: dict[str, list[Point]] = {}
        rows = self.rows
        trained = {name for row in rows if isinstance(row, Metrics) for name in (*row.values, *row.nonfinite)}
        for row in rows:
            for name, value in numbers(row):
                own = f"val {name}" if isinstance(row, Evaluation) and name in trained else name
                found.setdefault(own, []).append((row.step or 0, _real(value)))
        return found


def numbers(row: Rows) -> Iterator[tuple[str, float]]:
    """The numbers of a row by name; NaN for what was not finite."""
    for name, value in row.values.items():
        if name in row.nonfinite:
            yield name, nan
        elif value is not None:
            yield name, value
    for name in row.nonfinite:
        if name not in row.values:
            yield name, nan


def _real(value: float) -> float:
    """A float; a whole number beyond every float is inf."""
    try:
        return float(value)
    except OverflowError:
        return inf
