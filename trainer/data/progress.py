"""The voice and the ear of every loop that prepares data."""

import time
from collections.abc import Callable
from dataclasses import dataclass

from trainer.data.data_errors import Stopped

REPORT_EVERY_S = 0.1


@dataclass(frozen=True, slots=True)
class DataProgress:
    """How far a stage has come; `total` is 0 where nobody can know it yet.

    Attributes:
        stage: `hash`, `read`, `split`, `learn`, `encode`, `count`, `verify` or `wait`; of a
            corpus also `books`, `fetch` and `pause`.
        done: Units done: bytes or files read, merges learnt, n-grams counted, seconds waited.
        total: Units in all, same unit.
    """

    stage: str
    done: int
    total: int


def silent(_: DataProgress) -> None:
    """Hear of progress and say nothing."""


def never() -> bool:
    """Ask for no stop."""
    return False


class Pulse:
    """What a loop calls once a turn: honours a stop, reports at most every 0.1 s and at a stage's ends."""

    def __init__(
        self, progress: Callable[[DataProgress], None] = silent, should_stop: Callable[[], bool] = never
    ) -> None:
        self.tell = progress
        self.should_stop = should_stop
        self._stage = ""
        self._reported_at = 0.0

    def beat(self, stage: str, done: int, total: int = 0) -> None:
        """Say where `stage` is.

        Raises:
            Stopped: if a stop was asked for.
        """
        if self.should_stop():
            raise Stopped(f"stopped while preparing data ({stage})")
        now = time.monotonic()
        if stage == self._stage and done != total and now - self._reported_at < REPORT_EVERY_S:
            return
        self._stage, self._reported_at = stage, now
        self.tell(DataProgress(stage, done, total))
