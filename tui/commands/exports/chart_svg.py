"""Charts as SVG, without a library: the envelope of every series, so that no spike is hidden."""

from collections.abc import Iterable, Sequence
from html import escape
from math import ceil

from remote.protocol.sanitise import clean_line
from tui.commands.exports.chart_frame import (
    BOTTOM,
    COLOURS,
    DOTS_MAX,
    HEAD,
    HEIGHT,
    LEFT,
    RIGHT,
    TOP,
    WIDTH,
    ChartData,
    ChartFrame,
    charts_of,
    frame_of,
)
from tui.commands.exports.recorded_run import Point, RecordedRun
from tui.store.words import number

STYLE = """
.chart{font:11px system-ui,sans-serif;fill:#444}.chart .title{font-weight:600;font-size:13px;fill:#111}
.chart .grid{stroke:#ddd}.chart .floor{stroke:#888;stroke-dasharray:4 3}.chart .bad{stroke:#c00}
.chart path{fill:none;stroke-width:1.5}.chart .paper{fill:#fff}
@media (prefers-color-scheme:dark){.chart{fill:#bbb}.chart .title{fill:#eee}.chart .grid{stroke:#333}
.chart .paper{fill:#15171c}}
"""


def svg_bytes(run: RecordedRun) -> bytes:
    """Every chart of a run in one picture, two beside each other."""
    charts = charts_of(run)
    rows = max(1, ceil(len(charts) / 2))
    width, height = 2 * WIDTH, rows * HEIGHT + HEAD
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" width="{width}" '
        f'height="{height}" class="chart"><style>{STYLE}</style>'
        f'<rect class="paper" width="{width}" height="{height}"/>'
        f'<text class="title" x="12" y="19">{text(f"{run.name}  {run.where}")}</text>'
    ]
    for place, data in enumerate(charts):
        x, y = (place % 2) * WIDTH, HEAD + (place // 2) * HEIGHT
        parts.append(f'<g transform="translate({x} {y})">{chart(data)}</g>')
    if not charts:
        parts.append('<text x="12" y="60">no numbers were told</text>')
    return "".join([*parts, "</svg>\n"]).encode("utf-8", "replace")


def inline_svg(data: ChartData) -> str:
    """One chart, to stand in a page."""
    label = text(f"{data.title} by step")
    box = f'viewBox="0 0 {WIDTH} {HEIGHT}"'
    return f'<svg {box} class="chart" role="img" aria-label="{label}">{chart(data)}</svg>'


def chart(data: ChartData) -> str:
    """The inside of one chart."""
    drawn, frame = frame_of(data)
    title = f'<text class="title" x="{LEFT}" y="16">{text(data.title)}</text>'
    if frame is None:
        return f'{title}<text x="{LEFT}" y="{HEIGHT / 2:g}">no finite value</text>'
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


def text(raw: str) -> str:
    """A text that is text and nothing else, in an attribute too."""
    return escape(clean_line(raw), quote=True)


def _grid(frame: ChartFrame) -> Iterable[str]:
    right, bottom = WIDTH - RIGHT, HEIGHT - BOTTOM
    for value in frame.levels:
        y = frame.y(value)
        yield f'<line class="grid" x1="{LEFT}" x2="{right}" y1="{y:.1f}" y2="{y:.1f}"/>'
        yield f'<text x="{LEFT - 6}" y="{y + 4:.1f}" text-anchor="end">{text(number(value, 3))}</text>'
    for step in frame.stages:
        x = frame.x(step)
        yield f'<line class="grid" x1="{x:.1f}" x2="{x:.1f}" y1="{TOP}" y2="{bottom}"/>'
        yield f'<text x="{x:.1f}" y="{HEIGHT - 8}" text-anchor="middle">{step:,.0f}</text>'


def _line(frame: ChartFrame, points: Sequence[Point], colour: str) -> Iterable[str]:
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
    if len(points) <= DOTS_MAX:
        for step, value in points:
            if frame.has(value):
                yield f'<circle cx="{frame.x(step):.1f}" cy="{frame.y(value):.1f}" r="2" fill="{colour}"/>'


def _floor(frame: ChartFrame, name: str, level: float) -> str:
    if not frame.has(level):
        return ""
    y = frame.y(level)
    return (
        f'<line class="floor" x1="{LEFT}" x2="{WIDTH - RIGHT}" y1="{y:.1f}" y2="{y:.1f}"/>'
        f'<text x="{WIDTH - RIGHT}" y="{y - 3:.1f}" text-anchor="end">{text(name)}</text>'
    )
