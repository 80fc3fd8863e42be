"""Where the time goes: inside steps or outside of them, and how long it will still take."""

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Pace:
    """The speed of the window since the last reading.

    Attributes:
        step_ms: milliseconds a step, time outside of steps not counted.
        tokens_per_s: likewise.
        eta_s: seconds to the last step, time outside counted at its share so far.
        overhead: share of all time since the start spent outside of steps, in [0, 1].
        data_wait: share of the steps' time in which the device waited for its batch, in [0, 1].
    """

    step_ms: float
    tokens_per_s: float
    eta_s: float
    overhead: float
    data_wait: float = 0.0


class Accounting:
    """Clocks the loop. `outside` marks what is no step: logging, evaluation, sampling, saving, probes."""

    def __init__(
        self, clock: Callable[[], float] = time.perf_counter, synchronize: Callable[[], None] = lambda: None
    ) -> None:
        """Begin.

        Args:
            synchronize: waits for the steps that are queued on a device; their time is theirs.
        """
        self._clock, self._synchronize = clock, synchronize
        self._start = self._mark = clock()
        self._outside: dict[str, float] = {}
        self._outside_at_mark = 0.0
        self._steps = self._tokens = 0
        self._waited = 0.0

    @contextmanager
    def outside(self, what: str) -> Iterator[None]:
        """Count the time of this block as outside of steps, under the name `what`."""
        self._synchronize()
        begun = self._clock()
        try:
            yield
        finally:
            self._outside[what] = self._outside.get(what, 0.0) + self._clock() - begun

    @contextmanager
    def fetching(self) -> Iterator[None]:
        """Count the time of this block, which is within a step, as spent on getting its batch."""
        begun = self._clock()
        try:
            yield
        finally:
            self._waited += self._clock() - begun

    def step(self, tokens: int) -> None:
        """Count a finished step of so many tokens."""
        self._steps += 1
        self._tokens += tokens

    def pace(self, remaining: int) -> Pace:
        """Return the pace since the last call, with `remaining` steps to go, and begin a new window."""
        now, outside = self._clock(), sum(self._outside.values())
        inside = max(now - self._mark - (outside - self._outside_at_mark), 1e-9)
        overhead = min(outside / max(now - self._start, 1e-9), 1.0)
        step_s = inside / max(self._steps, 1)
        eta = remaining * step_s / max(1.0 - overhead, 1e-3)
        waited = min(self._waited / inside, 1.0)
        pace = Pace(step_s * 1e3, self._tokens / inside, eta, overhead, waited)
        self._mark, self._outside_at_mark = now, outside
        self._steps = self._tokens = 0
        self._waited = 0.0
        return pace

    def shares(self) -> dict[str, float]:
        """Return the share of all time since the start that each name outside of steps took."""
        total = max(self._clock() - self._start, 1e-9)
        return {what: seconds / total for what, seconds in self._outside.items()}
