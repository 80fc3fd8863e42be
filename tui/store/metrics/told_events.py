"""What a run told beside its metrics, with the times of it: what a replay shows of an earlier moment."""

from collections import deque
from dataclasses import replace
from typing import TypeVar

from trainer.telemetry.events import (
    Checkpoint,
    Envelope,
    Evaluation,
    Floors,
    Hello,
    Phase,
    Probe,
    Sample,
    StepBack,
)

KEPT = frozenset({Checkpoint, Evaluation, Floors, Hello, Phase, Probe, Sample, StepBack})
MOST = 1_000  # of each type, the newest
SAMPLE_MAX = 2_000  # characters
E = TypeVar("E", bound=Envelope)


class ToldEvents:
    """Events by their type, in the order in which they were told."""

    __slots__ = ("_told",)

    def __init__(self) -> None:
        self._told: dict[type[Envelope], deque[Envelope]] = {}

    def take(self, event: Envelope) -> None:
        """Keep an event, if it is of a kind that a screen shows; a long sample in part."""
        kind = type(event)
        if kind not in KEPT or not event.t:
            return
        if isinstance(event, Sample) and len(event.text) > SAMPLE_MAX:
            event = replace(event, text=event.text[:SAMPLE_MAX])
        self._told.setdefault(kind, deque(maxlen=MOST)).append(event)

    def newest(self, kind: type[E], t: float) -> E | None:
        """The newest of a type that was told at `t` or before, epoch seconds of the run's own clock."""
        for event in reversed(self._told.get(kind, ())):
            if event.t <= t:
                assert isinstance(event, kind)
                return event
        return None
