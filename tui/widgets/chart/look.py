"""How a chart is drawn: what its frame says, and what lies behind the curve."""

from dataclasses import dataclass

from trainer.telemetry.bands import Colour
from tui.store.metrics.chart_window import WHOLE, ChartWindow, Extent

SHARES = (0.0, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2)
USUAL_SHARE = 3  # of SHARES


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
class View:
    """What the keys and the mouse change about a chart.

    Attributes:
        log: a logarithmic axis of values.
        smoothing: index into SHARES: over which share of the rows shown the moving mean goes.
        robust: few values far out do not set the axis; they are marked and counted.
        window: the stretch of the axis that is shown.
        cursor: a step whose values stand in the title, marked by a line; None for the newest values.
        begun: a step at which a range begins; it ends at the cursor.
        picked: the stretch over which the mouse is drawn now.
    """

    log: bool = False
    smoothing: int = USUAL_SHARE
    robust: bool = True
    window: ChartWindow = WHOLE
    cursor: int | None = None
    begun: int | None = None
    picked: Extent | None = None


@dataclass(frozen=True, slots=True)
class ChartLook:
    """What the frame of a chart says.

    Attributes:
        include: values that stretch the axis.
        overlay_title: what the second series is, if there is one.
        axis: what the steps count, in one word.
        legend: names at the right have room, so that steps line up with a chart that needs it.
        extent: how far the axis of all charts beside it reaches; None for what the series has.
    """

    title: str
    unit: str = ""
    colour: Colour = "blue"
    zones: tuple[Zone, ...] = ()
    floors: tuple[FloorLine, ...] = ()
    include: tuple[float, ...] = ()
    marks_title: str = ""
    overlay_title: str = ""
    axis: str = "step"
    legend: bool = False
    extent: Extent | None = None
