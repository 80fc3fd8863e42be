"""How fast a run goes: its time inside and outside of steps, and its arithmetic beside the device's peak."""

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from trainer.config.model import ModelConfig
from trainer.config.schema import RunConfig
from trainer.device.device import Device
from trainer.device.peak_speed import peak_tflops
from trainer.models import LanguageModel
from trainer.models.associative import CHUNK
from trainer.step.state import TrainState

PASSES = 3
"""A backward pass takes twice the multiplications of a forward pass; what is worked again is not counted."""


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


@dataclass(frozen=True, slots=True)
class SpeedOfLight:
    """A run's arithmetic.

    Attributes:
        flop: floating-point operations a token, forward and backward.
        peak: TFLOP/s of all devices together; None where the maker's figure is not known.
    """

    flop: float
    peak: float | None

    @classmethod
    def of(cls, config: RunConfig, state: TrainState, device: Device, processes: int) -> "SpeedOfLight":
        """Return that of a run whose precision is decided."""
        one = peak_tflops(device.facts(), state.precision.autocast, config.optim.tf32)
        flop = flop_per_token(state.model, config.model, config.context)
        return cls(flop, one * processes if one else None)

    def values(self, tokens_per_s: float) -> dict[str, float]:
        """Return `tflops`, and `mfu` in percent of the peak where that is known."""
        tflops = tokens_per_s * self.flop / 1e12
        return {"tflops": tflops} | ({"mfu": 100 * tflops / self.peak} if self.peak else {})


def flop_per_token(model: LanguageModel[Any], config: ModelConfig, context: int) -> float:
    """Return floating-point operations a token: 6 a weight of a matrix, and those of attention.

    The head's matrix counts once, tied to the embedding or not; looking a token up does not. Attention counts
    every pair of positions, as is usual (PaLM, appendix B), though half of them are masked. What oscillators
    compute beside matrices (under 2 %) is left out, and so is what `hrr` does.
    """
    vocabulary = int(model.embedding.weight.shape[0])
    named = [(name, one) for name, one in model.named_parameters() if one.dim() >= 2]
    own = [(name, one) for name, one in named if not name.startswith(("embedding.", "places."))]
    matrices = sum(one.numel() for _, one in own)
    has_head = any(one.shape[0] == vocabulary for _, one in own)
    head = 0 if has_head else config.dim * vocabulary
    attention = 2 * config.layers * config.dim * context if config.kind in ("gpt", "bolted") else 0
    return 2.0 * PASSES * (matrices + head + attention + _associations(config, context))


def _associations(config: ModelConfig, context: int) -> int:
    """Products of keys, values and queries of an `outer` memory, a token: in its chunk, with its matrix."""
    if config.kind != "memory" or config.memory != "outer":
        return 0
    return 2 * config.layers * config.slots * (min(CHUNK, context) + config.slots)
