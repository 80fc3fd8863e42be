"""The charts of a run as a PNG, drawn by Pillow with the font that it brings: no system font is needed."""

import io
from collections.abc import Sequence
from math import ceil
from typing import Any

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
from tui.commands.exports.missing_library import needs
from tui.commands.exports.recorded_run import Point, RecordedRun
from tui.store.words import number

SCALE = 2  # pixels of the picture for one of the frame
INK, DIM, GRID, BAD, PAPER = "#111111", "#555555", "#dddddd", "#cc0000", "#ffffff"


def png_bytes(run: RecordedRun) -> bytes:
    """Every chart of a run in one picture, two beside each other.

    Raises:
        CallError: Pillow is not installed.
    """
    try:
        from PIL import Image, ImageDraw, ImageFont
    except ImportError as error:
        raise needs("Pillow", "png", error) from error
    charts = charts_of(run)
    size = 2 * WIDTH * SCALE, (max(1, ceil(len(charts) / 2)) * HEIGHT + HEAD) * SCALE
    image = Image.new("RGB", size, PAPER)
    pen = _Pen(ImageDraw.Draw(image), ImageFont.load_default(11 * SCALE), ImageFont.load_default(13 * SCALE))
    pen.say(12, 8, f"{run.name}  {run.where}", INK, is_title=True)
    for place, data in enumerate(charts):
        pen.x, pen.y = (place % 2) * WIDTH, HEAD + (place // 2) * HEIGHT
        _chart(pen, data)
    if not charts:
        pen.say(12, 60, "no numbers were told", DIM)
    out = io.BytesIO()
    image.save(out, "PNG", optimize=True)
    return out.getvalue()


class _Pen:
    """Draws in the frame's pixels, from the corner of one chart."""

    def __init__(self, draw: Any, font: Any, bold: Any) -> None:
        self._draw, self._font, self._bold = draw, font, bold
        self.x = self.y = 0

    def line(self, points: Sequence[tuple[float, float]], colour: str, width: int = 1) -> None:
        self._draw.line([self._at(*point) for point in points], fill=colour, width=width * SCALE)

    def dot(self, x: float, y: float, colour: str) -> None:
        (left, top), (right, bottom) = self._at(x - 2, y - 2), self._at(x + 2, y + 2)
        self._draw.ellipse([left, top, right, bottom], fill=colour)

    def say(
        self, x: float, y: float, text: str, colour: str, *, anchor: str = "lt", is_title: bool = False
    ) -> None:
        font = self._bold if is_title else self._font
        self._draw.text(self._at(x, y), clean_line(text), fill=colour, font=font, anchor=anchor)

    def _at(self, x: float, y: float) -> tuple[float, float]:
        return (self.x + x) * SCALE, (self.y + y) * SCALE


def _chart(pen: _Pen, data: ChartData) -> None:
    drawn, frame = frame_of(data)
    pen.say(LEFT, 6, data.title, INK, is_title=True)
    if frame is None:
        pen.say(LEFT, HEIGHT / 2, "no finite value", DIM)
        return
    right, bottom = WIDTH - RIGHT, HEIGHT - BOTTOM
    for value in frame.levels:
        y = frame.y(value)
        pen.line([(LEFT, y), (right, y)], GRID)
        pen.say(LEFT - 6, y, number(value, 3), DIM, anchor="rm")
    for step in frame.stages:
        x = frame.x(step)
        pen.line([(x, TOP), (x, bottom)], GRID)
        pen.say(x, HEIGHT - 16, f"{step:,.0f}", DIM, anchor="mt")
    for name, level in data.floors.items():
        if frame.has(level):
            y = frame.y(level)
            pen.line([(LEFT, y), (right, y)], DIM)
            pen.say(right, y - 3, name, DIM, anchor="rb")
    for place, (label, points) in enumerate(drawn.items()):
        colour = COLOURS[place % len(COLOURS)]
        _series(pen, frame, points, colour)
        if len(drawn) > 1:
            pen.say(WIDTH - RIGHT - 90 * (len(drawn) - place), 8, label[:14], colour)


def _series(pen: _Pen, frame: ChartFrame, points: Sequence[Point], colour: str) -> None:
    """A line with a gap and a mark wherever a value is not finite."""
    pieces: list[list[tuple[float, float]]] = [[]]
    for step, value in points:
        x = frame.x(step)
        if frame.has(value):
            pieces[-1].append((x, frame.y(value)))
        else:
            pen.line([(x, HEIGHT - BOTTOM - 8), (x, HEIGHT - BOTTOM)], BAD)
            pieces.append([])
    for piece in pieces:
        if len(piece) > 1:
            pen.line(piece, colour)
        if len(points) <= DOTS_MAX or len(piece) == 1:
            for x, y in piece:
                pen.dot(x, y, colour)
