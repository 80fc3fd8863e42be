"""Once an occasion: a rule fires when something begins, and is armed again when it was over for a while."""

from collections.abc import Hashable
from dataclasses import dataclass
from typing import Literal

Level = Literal["information", "warning", "error"]


@dataclass(frozen=True, slots=True)
class Firing:
    """One thing worth a person's attention.

    Attributes:
        rule: which rule found it, in one word.
        text: what it found, without the names of run and host.
        step: of the run, None where it is of no step.
    """

    rule: str
    level: Level
    text: str
    step: int | None = None


class Occasion:
    """Fires after `begins` bad readings in a row, and is armed again after `ends` good ones.

    A reading that is neither (between two thresholds) changes nothing: so a value that swings around one
    threshold is one occasion.
    """

    __slots__ = ("_bad", "_begins", "_ends", "_good", "is_on")

    def __init__(self, begins: int = 1, ends: int = 1) -> None:
        self.is_on = False
        self._begins, self._ends = begins, ends
        self._bad = self._good = 0

    @property
    def is_open(self) -> bool:
        """Whether good readings matter now: it has begun, or bad ones are being counted."""
        return self.is_on or self._bad > 0

    def fires(self, bad: bool, good: bool | None = None) -> bool:
        """Take one reading; whether the occasion begins with it. `good` is the opposite where left out."""
        good = not bad if good is None else good
        self._bad = self._bad + 1 if bad else 0
        self._good = self._good + 1 if good else 0
        if self.is_on:
            self.is_on = self._good < self._ends
            return False
        self.is_on = self._bad >= self._begins
        return self.is_on


class Quiet:
    """The same by time, for things that come and go by name: again only after they were away for `rest_s`."""

    def __init__(self, rest_s: float, most: int = 1000) -> None:
        self._rest_s, self._most = rest_s, most
        self._on: dict[Hashable, float | None] = {}  # since when it is over, None while it lasts

    def begins(self, name: Hashable, now: float) -> bool:
        """It is there; whether that is a new occasion. `now`: seconds of any clock that only grows."""
        over = self._on.get(name, -self._rest_s + now)
        self._on[name] = None
        if len(self._on) > self._most:
            del self._on[next(iter(self._on))]
        return over is not None and now - over >= self._rest_s

    def ends(self, name: Hashable, now: float) -> bool:
        """It is over; whether it had been there."""
        if name not in self._on or self._on[name] is not None:
            return False
        self._on[name] = now
        return True
