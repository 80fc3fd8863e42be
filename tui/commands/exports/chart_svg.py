"""Charts as SVG, without a library: the envelope of every series, so that no spike is hidden."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from html import escape
from math import ceil, floor, isfinite, log10

from remote.protocol.sanitise import clean_line
from tui.commands.exports.told_run import Point, ToldRun
from tui.store.words import number

WIDTH, HEIGHT = 560, 240
LEFT, RIGHT, TOP, BOTTOM = 62, 14, 30, 26
COLOURS = (
    "#0072b2",
    "#d55e00",
    "#009e73",
    "#cc79a7",
    "#e69f00",
    "#56b4e9",
)  # told apart by colour-blind eyes
FIRST = ("loss", "total", "ce", "val_loss", "val_ce", "R", "u_val", "grad_norm", "lr")
CHARTS_MAX = 80
VALUE_MAX = 1e300  # so that the difference of two is finite
DECADES = 3  # of positive values, from which on the axis is logarithmic
STYLE = """
.chart{font:11px system-ui,sans-serif;fill:#444}.chart .title{font-weight:600;font-size:13px;fill:#111}
.chart .grid{stroke:#ddd}.chart .floor{stroke:#888;stroke-dasharray:4 3}.chart .bad{stroke:#c00}
.chart path{fill:none;stroke-width:1.5}.chart .paper{fill:#fff}
@media (prefers-color-scheme:dark){.chart{fill:#bbb}.chart .title{fill:#eee}.chart .grid{stroke:#333}
.chart .paper{fill:#15171c}}
"""


@dataclass(frozen=True)
class ChartData:
    """One chart: series by label, and lines of what a value is compared with."""

    title: str
    series: Mapping[str, Sequence[Point]]
    floors: Mapping[str, float] = field(default_factory=dict)


def charts_of(run: ToldRun) -> list[ChartData]:
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


def svg_bytes(run: ToldRun) -> bytes:
    """Every chart of a run in one picture, two beside each other."""
    charts = charts_of(run)
    rows = max(1, ceil(len(charts) / 2))
    width, height = 2 * WIDTH, rows * HEIGHT + 28
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" width="{width}" '
        f'height="{height}" class="chart"><style>{STYLE}</style>'
        f'<rect class="paper" width="{width}" height="{height}"/>'
        f'<text class="title" x="12" y="19">{text(f"{run.name}  {run.where}")}</text>'
    ]
    for place, data in enumerate(charts):
        x, y = (place % 2) * WIDTH, 28 + (place // 2) * HEIGHT
        parts.append(f'<g transform="translate({x} {y})">{chart(data)}</g>')
    if not charts:
        parts.append('<text x="12" y="60">no numbers were told</text>')
    return "".join([*parts, "</svg>\n"]).encode("utf-8", "replace")


def inline_svg(data: ChartData) -> str:
    """One chart, to stand in a page."""
    said = text(f"{data.title} by step")
    box = f'viewBox="0 0 {WIDTH} {HEIGHT}"'
    return f'<svg {box} class="chart" role="img" aria-label="{said}">{chart(data)}</svg>'


def chart(data: ChartData) -> str:
    """The inside of one chart."""
    drawn = {label: _enveloped(points) for label, points in data.series.items()}
    values = [value for points in drawn.values() for _, value in points if isfinite(value)]
    values += [value for value in data.floors.values() if isfinite(value)] if values else []
    steps = [step for points in drawn.values() for step, _ in points]
    title = f'<text class="title" x="{LEFT}" y="16">{text(data.title)}</text>'
    if not values:
        return f'{title}<text x="{LEFT}" y="{HEIGHT / 2:g}">no finite value</text>'
    frame = _Frame.of(min(steps), max(steps), values)
    parts = [title, *_grid(frame)]
    for name, level in data.floors.items():
        parts.append(_floor(frame, name, level))
    for place, (label, points) in enumerate(drawn.items()):
        parts += _line(frame, points, COLOURS[place % len(COLOURS)])
        if len(drawn) > 1:
            x = WIDTH - RIGHT - 90 * (len(drawn) - place)
            parts.append(
                f'<text x="{x}" y="16" fill="{COLOURS[place % len(COLOURS)]}">{text(label[:14])}</text>'
            )
    return "".join(parts)


def text(said: str) -> str:
    """A text that is text and nothing else, in an attribute too."""
    return escape(clean_line(said), quote=True)


@dataclass(frozen=True)
class _Frame:
    """From step and value to a place in the picture."""

    first: int
    last: int
    low: float
    high: float
    is_log: bool

    @classmethod
    def of(cls, first: int, last: int, values: Sequence[float]) -> "_Frame":
        low, high = max(min(values), -VALUE_MAX), min(max(values), VALUE_MAX)
        is_log = low > 0 and log10(high) - log10(low) >= DECADES
        if is_log:
            low, high = log10(low), log10(high)
        pad = (high - low) * 0.05 or abs(high) * 0.05 or 1.0
        return cls(first, max(last, first + 1), low - pad, high + pad, is_log)

    def x(self, step: float) -> float:
        return LEFT + (step - self.first) / (self.last - self.first) * (WIDTH - LEFT - RIGHT)

    def y(self, value: float) -> float:
        level = log10(value) if self.is_log else value
        return TOP + (self.high - level) / (self.high - self.low) * (HEIGHT - TOP - BOTTOM)

    def has(self, value: float) -> bool:
        return abs(value) <= VALUE_MAX and (value > 0 or not self.is_log)


def _grid(frame: _Frame) -> Iterable[str]:
    right, bottom = WIDTH - RIGHT, HEIGHT - BOTTOM
    for tick in _ticks(frame.low, frame.high, whole=frame.is_log):
        value = 10.0**tick if frame.is_log else tick
        y = frame.y(value)
        yield f'<line class="grid" x1="{LEFT}" x2="{right}" y1="{y:.1f}" y2="{y:.1f}"/>'
        yield f'<text x="{LEFT - 6}" y="{y + 4:.1f}" text-anchor="end">{text(number(value, 3))}</text>'
    for tick in _ticks(frame.first, frame.last, whole=True):
        x = frame.x(tick)
        yield f'<line class="grid" x1="{x:.1f}" x2="{x:.1f}" y1="{TOP}" y2="{bottom}"/>'
        yield f'<text x="{x:.1f}" y="{HEIGHT - 8}" text-anchor="middle">{tick:,.0f}</text>'


def _ticks(low: float, high: float, *, whole: bool = False) -> list[float]:
    """Four to eight round numbers between two."""
    span = high - low
    if not isfinite(span) or span <= 0:
        return [low]
    size = 10.0 ** floor(log10(span / 4))
    size = next((size * by for by in (1, 2, 5, 10) if span / (size * by) <= 6), size * 10)
    size = max(size, 1.0) if whole else size
    return [n * size for n in range(ceil(low / size), floor(high / size) + 1)]


def _enveloped(points: Sequence[Point]) -> list[Point]:
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


def _line(frame: _Frame, points: Sequence[Point], colour: str) -> Iterable[str]:
    """A path with a gap and a mark wherever a value is not finite."""
    parts, begins, bottom = [], True, HEIGHT - BOTTOM
    for step, value in points:
        if not frame.has(value):
            x = frame.x(step)
            yield f'<line class="bad" x1="{x:.1f}" x2="{x:.1f}" y1="{bottom - 8}" y2="{bottom}"/>'
            begins = True
            continue
        parts.append(f"{'M' if begins else 'L'}{frame.x(step):.1f} {frame.y(value):.1f}")
        begins = False
    yield f'<path stroke="{colour}" d="{" ".join(parts)}"/>'
    if len(points) <= 60:
        for step, value in points:
            if frame.has(value):
                yield f'<circle cx="{frame.x(step):.1f}" cy="{frame.y(value):.1f}" r="2" fill="{colour}"/>'


def _floor(frame: _Frame, name: str, level: float) -> str:
    if not frame.has(level):
        return ""
    y = frame.y(level)
    return (
        f'<line class="floor" x1="{LEFT}" x2="{WIDTH - RIGHT}" y1="{y:.1f}" y2="{y:.1f}"/>'
        f'<text x="{WIDTH - RIGHT}" y="{y - 3:.1f}" text-anchor="end">{text(name)}</text>'
    )
