"""What a format finds in a log: rows of numbers, beginnings, and whatever else a run tells."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, NamedTuple, TypeAlias

from trainer.telemetry.events import Event, Number

STEP_LIMIT = 1 << 53  # beyond it neither JSON nor a chart holds a whole number


class Row(NamedTuple):
    """Numbers of one step. NaN and inf stand as themselves, None is a number that was not measured.

    Attributes:
        is_eval: held-out scores, not training.
        total: planned steps where the line tells them, else 0.
        t: Unix seconds where the line tells them, else 0.
        u_stat: of which statistic a `u_val` is.
        best: the best scores so far.
        adds: a step that does not grow is no new attempt: it adds to what was told of it.
    """

    step: int
    values: Mapping[str, Number]
    is_eval: bool = False
    total: int = 0
    t: float = 0.0
    u_stat: str = "mean"
    best: bool = False
    adds: bool = False


@dataclass(frozen=True, slots=True)
class Start:
    """A line with which a run or a table begins: rows that step back after it are of a new attempt.

    Attributes:
        total: planned steps, 0 where it does not tell.
        resumed: the step that the run goes on from, None where it does not tell.
    """

    total: int = 0
    resumed: int | None = None


@dataclass(frozen=True, slots=True)
class BareEvent:
    """Any other event, without its envelope."""

    kind: type[Event]
    step: int | None = None
    fields: Mapping[str, Any] = field(default_factory=dict)


Finding: TypeAlias = Row | Start | BareEvent
Plain: TypeAlias = tuple[
    int, dict[str, Number]
]  # step and values of a row of training that tells nothing else
