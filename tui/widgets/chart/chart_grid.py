"""The charts of a run: as many as it has something to draw on, in rows."""

from collections.abc import Sequence
from dataclasses import replace
from itertools import zip_longest
from typing import ClassVar

from textual.app import ComposeResult
from textual.containers import VerticalScroll

from trainer.telemetry.bands import Bands, Colour
from tui.store.metrics.axis import BY_STEP, Along, Axis
from tui.store.metrics.chart_plan import FEW, ChartPlan, charts
from tui.store.metrics.chart_window import WHOLE, Extent
from tui.store.metrics.grid_choice import AS_IT_COMES, GridChoice
from tui.store.metrics.series import Series
from tui.store.runs import RunRecord
from tui.widgets.chart.chart import Chart
from tui.widgets.chart.curves import Curves
from tui.widgets.chart.look import ChartLook, FloorLine, Zone

LEAST_HEIGHT = 8  # lines of a chart where there are more than come by themselves, before the grid scrolls
BROAD = 56  # cells: three charts in a row have so many each
_INCLUDE = {"u_val": (0.5, 2.0), "R": (0.0,)}
_COLOURS: dict[str, Colour] = {"u_val": "green", "R": "cyan", "grad_norm": "violet"}
_KINDS: dict[str, Colour] = {
    "loss": "blue", "ratio": "green", "score": "green", "norm": "violet", "rate": "cyan",
    "throughput": "cyan",
}  # fmt: skip


class ChartGrid(VerticalScroll, can_focus=False):
    """As many charts as there are plans, in rows that line up.

    Attributes:
        plans: what is shown, in the order of its places.
        along: what lies along the charts.
    """

    DEFAULT_CSS: ClassVar[str] = """
    ChartGrid { layout: grid; grid-size: 2; grid-gutter: 0 1; padding: 0 1 0 0; scrollbar-size-vertical: 1; }
    ChartGrid Chart { height: 100%; }
    ChartGrid .-off { display: none !important; }
    """

    def __init__(self) -> None:
        super().__init__(id="charts")
        self.plans = charts({}, ours=True)
        self.along: Along = "step"
        self._columns = 0
        self._row_height = ""
        self._places = [_place(number) for number in range(FEW)]

    def compose(self) -> ComposeResult:
        """The places of those that come by themselves, empty."""
        yield from self._places

    @property
    def shown(self) -> list[Chart]:
        """The charts that are there, in order."""
        return self._places[: len(self.plans)]

    def place_of(self, chart: object) -> int | None:
        """The place of a chart among those that are shown."""
        return next((place for place, one in enumerate(self.shown) if one is chart), None)

    def show(
        self,
        run: RunRecord,
        plans: Sequence[ChartPlan],
        bands: Bands | None,
        choice: GridChoice = AS_IT_COMES,
    ) -> None:
        """Draw these; a place whose metric is another one than before begins as at first."""
        before, self.plans = self.plans, tuple(plans)
        if before != self.plans:
            self._make_places(before)
        self._columns = choice.columns
        self._lay_out()
        axis = run.axes.along(choice.along) or BY_STEP
        if axis.along != self.along:
            self.along = axis.along
            for chart in self._places:
                chart.set_view(window=WHOLE)
        looks = [look_of(run, plan, bands) for plan in self.plans]
        legend = any(look.zones or look.floors for look in looks)
        series = [run.series_of(plan.metric) for plan in self.plans]
        extent = _extent(series, axis)
        for chart, plan, look, one in zip(self._places, self.plans, looks, series, strict=False):
            marks = run.series_of(plan.marks) if plan.marks else None
            shown = Curves(one, marks, run.series.get(plan.overlay), axis)
            chart.show(shown, replace(look, legend=legend, extent=extent))

    def _make_places(self, before: Sequence[ChartPlan]) -> None:
        more = [_place(number) for number in range(len(self._places), len(self.plans))]
        if more:
            self._places += more
            self.mount(*more)
        for chart, old, new in zip_longest(self._places, before, self.plans):
            chart.set_class(new is None, "-off")
            if old is not None and new is not None and old.metric != new.metric:
                chart.reset()

    def _lay_out(self) -> None:
        """So many charts in a row; where that makes them too low, the grid is higher than its window."""
        count = len(self.plans)
        fits = 3 if count > FEW and self.size.width >= 3 * BROAD else 2
        columns = 1 if self.screen.has_class("-single") else self._columns or fits
        rows = -(-max(count, 1) // columns)
        height = str(LEAST_HEIGHT) if count > FEW and rows * LEAST_HEIGHT > self.size.height else "1fr"
        if (self.styles.grid_size_columns, self._row_height) != (columns, height):
            self._row_height = height
            self.styles.grid_size_columns = columns
            self.styles.grid_rows = height

    def on_resize(self) -> None:
        """As many rows as fit."""
        self._lay_out()


def _place(number: int) -> Chart:
    chart = Chart(ChartLook(""), str(number + 1))
    chart.add_class("panel")
    return chart


def _extent(series: Sequence[Series], axis: Axis) -> Extent | None:
    """How far all of them together reach."""
    filled = [one.steps for one in series if len(one)]
    if not filled:
        return None
    return axis.place(min(steps[0] for steps in filled)), axis.place(max(steps[-1] for steps in filled))


def look_of(run: RunRecord, plan: ChartPlan, bands: Bands | None) -> ChartLook:
    """Title, axis and backdrop of one chart."""
    name = plan.metric
    is_ours = name in ("ce", "total")
    floors = run.floors if is_ours else None
    return ChartLook(
        plan.title,
        run.u_stat if name == "u_val" else plan.unit,
        colour=_COLOURS.get(name, _KINDS.get(plan.kind, "blue")),
        zones=() if is_ours else _zones(name, bands),
        floors=(FloorLine(floors.bigram, "bigram"), FloorLine(floors.trigram, "trigram")) if floors else (),
        include=_INCLUDE.get(name, ()),
        marks_title="val" if plan.marks.startswith("val_") or is_ours else plan.marks,
        overlay_title="weight decay" if name == "R" else plan.overlay,
        axis=plan.axis,
    )


def _zones(metric: str, bands: Bands | None) -> tuple[Zone, ...]:
    """The bands of a metric as the backdrop of its chart."""
    if bands is None or metric not in bands:
        return ()
    edges = bands.metrics[metric].edges({})
    return tuple(Zone(low, high, band.colour, f"{band.glyph} {band.word}") for low, high, band in edges)
