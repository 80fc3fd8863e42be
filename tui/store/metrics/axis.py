"""What lies along a chart: steps, the time that they took, or the tokens that were seen by then."""

from array import array
from bisect import bisect_left, bisect_right
from collections.abc import Mapping
from math import inf
from typing import Literal, Protocol

Along = Literal["step", "time", "tokens"]
ALONG: tuple[Along, ...] = ("step", "time", "tokens")
TOKENS = ("tokens", "tokens_seen", "n_tokens_seen", "num_input_tokens_seen")


class Axis(Protocol):
    """Steps to places along a chart, and back; both ways never fall."""

    along: Along

    def place(self, step: float) -> float:
        """Where a step lies."""

    def step_at(self, place: float) -> float:
        """The first step that lies at this place or past it."""


class StepAxis:
    """A step lies where it is."""

    along: Along = "step"

    def place(self, step: float) -> float:
        """The step itself."""
        return step

    def step_at(self, place: float) -> float:
        """The place itself."""
        return place


BY_STEP = StepAxis()


class MeasuredAxis:
    """Places told with some of the steps, in growing order; between two of them a straight line."""

    __slots__ = ("_places", "_steps", "along")

    def __init__(self, along: Along) -> None:
        self.along: Along = along
        self._steps = array("Q")
        self._places = array("d")

    def append(self, step: int, place: float) -> None:
        """A step lies here; one that would lie before the last lies with it, no number lies nowhere."""
        if not abs(place) < inf or step < 0:
            return
        if self._steps and step <= self._steps[-1]:
            self.supersede(step - 1)
        self._steps.append(step)
        self._places.append(max(place, self._places[-1]) if self._places else place)

    def supersede(self, step: int) -> None:
        """Forget places past `step`."""
        keep = bisect_right(self._steps, step)
        del self._steps[keep:]
        del self._places[keep:]

    @property
    def is_known(self) -> bool:
        """Whether it leads anywhere."""
        return bool(self._places) and self._places[-1] > self._places[0]

    def place(self, step: float) -> float:
        """Where a step lies; outside of what was told, at its end."""
        steps, places = self._steps, self._places
        after = bisect_left(steps, step)
        if after == len(steps) or steps[after] == step or after == 0:
            return places[min(after, len(places) - 1)]
        a, b = after - 1, after
        share = (step - steps[a]) / (steps[b] - steps[a])
        return places[a] + share * (places[b] - places[a])

    def step_at(self, place: float) -> float:
        """The first step at this place or past it, between two that were told on their line."""
        steps, places = self._steps, self._places
        after = bisect_left(places, place)
        if after == 0:
            return -inf  # a step before the first that was told lies with it
        if after == len(places):
            return inf
        if places[after] == place:
            return steps[after]
        a, b = after - 1, after
        share = (place - places[a]) / (places[b] - places[a])
        return steps[a] + share * (steps[b] - steps[a])

    def up_to(self, place: float, most: int) -> list[tuple[int, float]]:
        """The newest of what was told at this place or before it, `most` at most, the last one newest."""
        stop = bisect_right(self._places, place)
        start = max(stop - most, 0)
        return list(zip(self._steps[start:stop], self._places[start:stop], strict=True))


class RunAxes:
    """Along what the charts of one run can lie."""

    __slots__ = ("_began_t", "_time", "_tokens")

    def __init__(self) -> None:
        self._began_t = 0.0
        self._time, self._tokens = MeasuredAxis("time"), MeasuredAxis("tokens")

    def row(self, step: int, t: float, values: Mapping[str, float]) -> None:
        """A row of metrics at `t` epoch seconds by the run's own clock, 0 where it has none."""
        if t:
            self._began_t = self._began_t or t
            self._time.append(step, t - self._began_t)
        for name in TOKENS:
            if name in values:
                self._tokens.append(step, values[name])
                return

    def rows_by(self, t: float, most: int) -> list[tuple[int, float]]:
        """Steps and times (epoch seconds) of the newest rows at `t` or before; none where not known."""
        began = self._began_t
        return [(step, began + place) for step, place in self._time.up_to(t - began, most)]

    @property
    def began_t(self) -> float:
        """When the first row was told, epoch seconds; 0 where no times are known."""
        return self._began_t

    def supersede(self, step: int) -> None:
        """What came past a step is told anew."""
        self._time.supersede(step)
        self._tokens.supersede(step)

    def along(self, along: Along) -> Axis | None:
        """Steps, seconds since the first row, or tokens; None where the run tells none of these."""
        if along == "step":
            return BY_STEP
        axis = self._time if along == "time" else self._tokens
        return axis if axis.is_known else None
