"""How a chart is drawn: what its frame says, and what lies behind the curve."""

from dataclasses import dataclass

from trainer.telemetry.bands import Colour


@dataclass(frozen=True, slots=True)
class Zone:
    """A range of values with a name, drawn as a breath of colour behind the curve."""

    low: float
    high: float
    colour: Colour
    label: str


@dataclass(frozen=True, slots=True)
class FloorLine:
    """A level worth knowing, drawn as a labelled line."""

    value: float
    label: str


@dataclass(frozen=True, slots=True)
class ChartLook:
    """How a chart is drawn.

    Attributes:
        zoom: halves the steps shown so many times, the newest kept.
        include: values that stretch the axis.
        overlay_title: what the second series is, if there is one.
        axis: what the steps count, in one word.
        cursor: a step whose values stand in the title, marked by a line; None for the newest values.
    """

    title: str
    unit: str = ""
    colour: Colour = "blue"
    log: bool = False
    zoom: int = 0
    zones: tuple[Zone, ...] = ()
    floors: tuple[FloorLine, ...] = ()
    include: tuple[float, ...] = ()
    marks_title: str = ""
    overlay_title: str = ""
    axis: str = "step"
    cursor: int | None = None
