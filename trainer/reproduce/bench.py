"""Where a rerun happens: device, text, progress on stderr, and the folder in which interrupted arms wait."""

import sys
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TextIO

import numpy as np
from numpy.typing import NDArray

from trainer.config.data import DataConfig
from trainer.data import Corpus, DataProgress, Stopped, prepare
from trainer.data.prepare import open_source
from trainer.data.progress import Pulse
from trainer.device.device import Device
from trainer.job.outcome import StoppedError
from trainer.job.stop import Stop

SAY_EVERY_S = 5.0


class Ticker:
    """How far a rerun of several arms is, and how long the rest takes at the mean speed so far."""

    def __init__(
        self, name: str, to: TextIO | None = None, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._name, self._to, self._clock = name, to or sys.stderr, clock
        self._total = self._finished = self._skipped = 0
        self._began = self._reported_at = clock()
        self._stage = ""

    def stage(self, name: str) -> None:
        """Say what is done before the first step, once."""
        if name != self._stage:
            self._stage = name
            self._to.write(f"{self._name}: {name}\n")
            self._to.flush()

    def plan(self, steps: Iterable[int]) -> None:
        """Set out to do arms of so many steps."""
        self._total = sum(steps)
        self._began = self._reported_at = self._clock()

    def skip(self, steps: int) -> None:
        """Count steps that an earlier attempt did: they took no time of ours."""
        self._skipped += steps

    def beat(self, arm: str, step: int, steps: int, more: str = "") -> None:
        """Say, at most every 5 s and at an arm's end, where `arm` is."""
        done, now = self._finished + step, self._clock()
        if step == steps:
            self._finished += steps
        elif now - self._reported_at < SAY_EVERY_S:
            return
        self._reported_at = now
        own = done - self._skipped
        left = (now - self._began) / own * (self._total - done) if own > 0 else 0.0
        line = f"{self._name}: {arm}, step {step:,} of {steps:,}{more}; {_duration(left)} left"
        self._to.write(
            f"\r{line:<100}" + ("\n" if step == steps else "") if self._to.isatty() else f"{line}\n"
        )
        self._to.flush()


@dataclass(frozen=True)
class Bench:
    """What every rerun is given.

    Attributes:
        source: where the text comes from, as `--data` has it.
        out: folder in which arms are kept, to go on after a stop; None: nothing is kept.
        quick: a few steps only, to see that it works.
    """

    device: Device
    source: str
    stop: Stop
    ticker: Ticker
    out: Path | None = None
    quick: bool = False
    seed: int = 0
    cache_dir: Path | None = field(default=None)

    def steps(self, full: int, quick: int) -> int:
        """Return how many steps to do."""
        return quick if self.quick else full

    def corpus(self, max_mb: float) -> Corpus:
        """Return bytes of the text, at most so many MB, with a tenth held out.

        Raises:
            StoppedError: a stop was requested meanwhile.
            DataError: there is no such text.
        """
        config = DataConfig(source=self.source, tokenizer="byte", max_mb=max_mb)
        try:
            return prepare(
                config, cache_dir=self.cache_dir, progress=self._tell, should_stop=self.stop.requested
            )
        except Stopped as stopped:
            raise StoppedError(self.stop.reason) from stopped

    def characters(self, longest: int) -> str:
        """Return the first `longest` characters of the text, documents parted by blank lines.

        Raises:
            StoppedError: a stop was requested meanwhile.
            DataError: there is no such text.
        """
        parts, length = [], 0
        try:
            source = open_source(DataConfig(source=self.source))
            source.stamp()
            for document in source.documents(Pulse(should_stop=self.stop.requested)):
                parts.append(document.text)
                length += len(document.text) + 2
                if length >= longest:
                    break
        except Stopped as stopped:
            raise StoppedError(self.stop.reason) from stopped
        return "\n\n".join(parts)[:longest]

    def _tell(self, progress: DataProgress) -> None:
        self.ticker.stage(f"text: {progress.stage}")


def windows(tokens: NDArray[Any], context: int, count: int) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Return inputs and targets `[n, context]` of the first n <= `count` windows of held-out tokens."""
    count = max(1, min(count, (len(tokens) - 1) // context))
    cut = np.resize(np.asarray(tokens[: count * context + 1], np.int64), count * context + 1)
    return cut[:-1].reshape(count, context), cut[1:].reshape(count, context)


def _duration(seconds: float) -> str:
    minutes, rest = divmod(round(seconds), 60)
    return f"{minutes} min {rest:02d} s" if minutes else f"{rest} s"
