"""Curves as SVG: panels side by side, lines with their names at the end, dashed levels."""

import math
from collections.abc import Sequence
from dataclasses import dataclass, field
from html import escape

WIDTH, HEIGHT = 430, 300
LEFT, RIGHT, TOP, BOTTOM = 48, 92, 30, 40
COLOURS = {
    "kssm-v3": "#c2410c",
    "gpt": "#1d4ed8",
    "gated": "#15803d",
    "uncoupled": "#a16207",
    "residual": "#7e22ce",
}
LABEL_APART = 12.0


@dataclass(frozen=True, slots=True)
class Panel:
    """One plot.

    Attributes:
        lines: name -> points (x, y), x above 0 where `log_x`.
        levels: name -> y of a dashed line.
        bottom, top: limits of y.
    """

    title: str
    x_label: str
    y_label: str
    lines: dict[str, list[tuple[float, float]]]
    bottom: float
    top: float
    levels: dict[str, float] = field(default_factory=dict)
    log_x: bool = False


def draw(panels: Sequence[Panel]) -> str:
    """An SVG document; readable on a light and on a dark page."""
    body = "".join(_panel(panel, index * WIDTH) for index, panel in enumerate(panels))
    width = WIDTH * max(1, len(panels))
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {HEIGHT}" width="{width}" '
        f'height="{HEIGHT}" font-family="sans-serif" font-size="11">'
        f'<rect width="{width}" height="{HEIGHT}" fill="#ffffff"/>{body}</svg>\n'
    )


def _panel(panel: Panel, shift: int) -> str:
    xs = [x for points in panel.lines.values() for x, _ in points] or [1.0, 2.0]
    low, high = (min(xs), max(xs)) if panel.log_x else (0.0, max(xs))
    if low == high:
        high = low + 1

    def across(x: float) -> float:
        share = math.log(x / low) / math.log(high / low) if panel.log_x else (x - low) / (high - low)
        return LEFT + share * (WIDTH - LEFT - RIGHT)

    def down(y: float) -> float:
        share = (min(max(y, panel.bottom), panel.top) - panel.bottom) / (panel.top - panel.bottom)
        return HEIGHT - BOTTOM - share * (HEIGHT - BOTTOM - TOP)

    edge = WIDTH - RIGHT
    parts = [_text(LEFT, 16, panel.title, weight="bold")]
    for tick in _ticks(panel.bottom, panel.top):
        parts.append(_line(LEFT, down(tick), edge, down(tick), "#e5e7eb"))
        parts.append(_text(LEFT - 6, down(tick) + 4, f"{tick:g}", anchor="end"))
    below = sorted(set(xs)) if panel.log_x else _ticks(low, high)
    parts.extend(_text(across(x), HEIGHT - BOTTOM + 15, f"{x:g}", anchor="middle") for x in below)
    parts.append(_text((LEFT + edge) / 2, HEIGHT - 8, panel.x_label, anchor="middle"))
    parts.append(_text(LEFT, 27, panel.y_label, colour="#6b7280"))
    ends: list[tuple[float, str, str]] = []
    for name, level in panel.levels.items():
        if panel.bottom <= level <= panel.top:
            parts.append(_line(LEFT, down(level), edge, down(level), "#6b7280", dashed=True))
            ends.append((down(level), name, "#6b7280"))
    for name, points in panel.lines.items():
        colour = COLOURS.get(name, "#111827")
        path = " ".join(f"{across(x):.1f},{down(y):.1f}" for x, y in sorted(points))
        parts.append(f'<polyline points="{path}" fill="none" stroke="{colour}" stroke-width="1.6"/>')
        if points:
            ends.append((down(max(points)[1]), name, colour))
    parts.extend(_text(edge + 5, y + 4, name, colour=colour) for y, name, colour in _spread(ends))
    return f'<g transform="translate({shift},0)">{"".join(parts)}</g>'


def _spread(ends: list[tuple[float, str, str]]) -> list[tuple[float, str, str]]:
    """The labels with room between them, in the order of their lines."""
    placed: list[tuple[float, str, str]] = []
    for y, name, colour in sorted(ends):
        above = placed[-1][0] + LABEL_APART if placed else y
        placed.append((max(y, above), name, colour))
    over = placed[-1][0] - (HEIGHT - BOTTOM) if placed else 0.0
    return [(y - max(0.0, over), name, colour) for y, name, colour in placed]


def _ticks(low: float, high: float) -> list[float]:
    rough = (high - low) / 5
    unit = 10 ** math.floor(math.log10(rough))
    step = next(unit * factor for factor in (1, 2, 5, 10) if unit * factor >= rough)
    first, last = math.ceil(low / step - 1e-9), math.floor(high / step + 1e-9)
    return [round(index * step, 10) for index in range(first, last + 1)]


def _text(
    x: float, y: float, text: str, *, anchor: str = "start", weight: str = "normal", colour: str = "#111827"
) -> str:
    return (
        f'<text x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}" font-weight="{weight}" '
        f'fill="{colour}">{escape(text)}</text>'
    )


def _line(x1: float, y1: float, x2: float, y2: float, colour: str, *, dashed: bool = False) -> str:
    dash = ' stroke-dasharray="5 4"' if dashed else ""
    return f'<line x1="{x1:.1f}" y1="{y1:.1f}" x2="{x2:.1f}" y2="{y2:.1f}" stroke="{colour}"{dash}/>'
