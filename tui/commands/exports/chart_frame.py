"""What a chart shows and where: series of a run, their envelope, and places in a picture."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from math import ceil, floor, isfinite, log10

from tui.commands.exports.recorded_run import Point, RecordedRun

WIDTH, HEIGHT = 560, 240
LEFT, RIGHT, TOP, BOTTOM = 62, 14, 30, 26
HEAD = 28  # above the charts of a picture
COLOURS = (
    "#0072b2",
    "#d55e00",
    "#009e73",
    "#cc79a7",
    "#e69f00",
    "#56b4e9",
)  # colour-blind eyes tell them apart
FIRST = ("loss", "total", "ce", "val_loss", "val_ce", "R", "u_val", "grad_norm", "lr")
CHARTS_MAX = 80
DOTS_MAX = 60  # points of a series that are drawn as such
VALUE_MAX = 1e300  # so that the difference of two is finite
DECADES = 3  # of positive values, from which on the axis is logarithmic


@dataclass(frozen=True)
class ChartData:
    """One chart: series by label, and lines of what a value is compared with."""

    title: str
    series: Mapping[str, Sequence[Point]]
    floors: Mapping[str, float] = field(default_factory=dict)


def charts_of(run: RecordedRun) -> list[ChartData]:
    """A chart for each metric, the usual ones first; what was held out beside what was trained."""
    series = run.series()
    beside = {name: partner for name in series for partner in _partners(name) if partner in series}
    shown = [name for name in series if name not in beside.values()]
    ordered = sorted(shown, key=lambda name: FIRST.index(name) if name in FIRST else len(FIRST))
    floors = run.floors
    lines = {"unigram": floors.unigram, "bigram": floors.bigram, "trigram": floors.trigram} if floors else {}
    made = []
    for name in ordered[:CHARTS_MAX]:
        of_chart = {name: series[name]}
        if name in beside:
            of_chart[beside[name]] = series[beside[name]]
        made.append(ChartData(name, of_chart, lines if name in ("ce", "val_ce") else {}))
    return made


def _partners(name: str) -> Iterable[str]:
    return (f"val_{name}", f"eval_{name}", f"val {name}")


@dataclass(frozen=True)
class ChartFrame:
    """From step and value to a place in the picture."""

    first: int
    last: int
    low: float
    high: float
    is_log: bool

    @classmethod
    def of(cls, first: int, last: int, values: Sequence[float]) -> "ChartFrame":
        """A frame around these values; logarithmic where they span decades and are all positive."""
        low, high = max(min(values), -VALUE_MAX), min(max(values), VALUE_MAX)
        is_log = low > 0 and log10(high) - log10(low) >= DECADES
        if is_log:
            low, high = log10(low), log10(high)
        pad = (high - low) * 0.05 or abs(high) * 0.05 or 1.0
        if first == last:
            first, last = first - 1, last + 1
        return cls(first, last, low - pad, high + pad, is_log)

    @property
    def levels(self) -> list[float]:
        """Values of the lines across."""
        marks = ticks(self.low, self.high, whole=self.is_log)
        return [10.0**mark for mark in marks] if self.is_log else marks

    @property
    def stages(self) -> list[float]:
        """Steps of the lines down."""
        return ticks(self.first, self.last, whole=True)

    def x(self, step: float) -> float:
        """Pixels from the left."""
        return LEFT + (step - self.first) / (self.last - self.first) * (WIDTH - LEFT - RIGHT)

    def y(self, value: float) -> float:
        """Pixels from the top."""
        level = log10(value) if self.is_log else value
        return TOP + (self.high - level) / (self.high - self.low) * (HEIGHT - TOP - BOTTOM)

    def has(self, value: float) -> bool:
        """Whether a value has a place at all."""
        return abs(value) <= VALUE_MAX and (value > 0 or not self.is_log)


def ticks(low: float, high: float, *, whole: bool = False) -> list[float]:
    """Four to eight round numbers between two."""
    span = high - low
    if not isfinite(span) or span <= 0:
        return [low]
    size = 10.0 ** floor(log10(span / 4))
    size = next((size * by for by in (1, 2, 5, 10) if span / (size * by) <= 6), size * 10)
    size = max(size, 1.0) if whole else size
    return [n * size for n in range(ceil(low / size), floor(high / size) + 1)]


def enveloped(points: Sequence[Point]) -> list[Point]:
    """Of each column of the picture first, least, greatest and last value, and one that is not finite."""
    columns = WIDTH - LEFT - RIGHT
    if len(points) <= 2 * columns:
        return list(points)
    found: list[Point] = []
    size = len(points) / columns
    for column in range(columns):
        part = points[int(column * size) : int((column + 1) * size)]
        finite = [place for place, (_, value) in enumerate(part) if isfinite(value)]
        if finite:
            least = min(finite, key=lambda place: part[place][1])
            most = max(finite, key=lambda place: part[place][1])
            kept = {finite[0], least, most, finite[-1]}
        else:
            kept = set()
        bad = next((place for place, (_, value) in enumerate(part) if not isfinite(value)), None)
        found += [part[place] for place in sorted(kept | ({bad} if bad is not None else set()))]
    return found


def frame_of(data: ChartData) -> tuple[dict[str, list[Point]], ChartFrame | None]:
    """The points that are drawn, by label, and their frame; None where there is no finite value."""
    drawn = {label: enveloped(points) for label, points in data.series.items()}
    values = [value for points in drawn.values() for _, value in points if isfinite(value)]
    if not values:
        return drawn, None
    steps = [step for points in drawn.values() for step, _ in points]
    levels = [level for level in data.floors.values() if isfinite(level)]
    return drawn, ChartFrame.of(min(steps), max(steps), [*values, *levels])
