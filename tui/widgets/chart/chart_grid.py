"""The charts of a run: as many as it has something to draw on, two in a row."""

from collections.abc import Sequence
from itertools import zip_longest
from typing import ClassVar

from textual.app import ComposeResult
from textual.containers import Horizontal, Vertical

from trainer.telemetry.bands import Bands, Colour
from tui.store.metrics.chart_plan import FEW, MOST, ChartPlan, charts
from tui.store.runs import RunRecord
from tui.widgets.chart.chart import Chart
from tui.widgets.chart.look import ChartLook, FloorLine, Zone

IN_A_ROW = 2
_INCLUDE = {"u_val": (0.5, 2.0), "R": (0.0,)}
_COLOURS: dict[str, Colour] = {"u_val": "green", "R": "cyan", "grad_norm": "violet"}
_KINDS: dict[str, Colour] = {
    "loss": "blue", "ratio": "green", "score": "green", "norm": "violet", "rate": "cyan",
    "throughput": "cyan",
}  # fmt: skip


class ChartGrid(Vertical):
    """Places for charts; those that have none take no room.

    Attributes:
        plans: what is shown, in the order of its places.
    """

    DEFAULT_CSS: ClassVar[str] = """
    ChartGrid > Horizontal { height: 1fr; }
    ChartGrid Chart { width: 1fr; margin: 0 1 0 0; }
    ChartGrid .-off { display: none !important; }
    """

    def __init__(self) -> None:
        super().__init__(id="charts")
        self.plans = charts({}, ours=True)
        self._places = [Chart(ChartLook(""), str(number + 1)) for number in range(MOST)]
        for chart in self._places[len(self.plans) :]:
            chart.add_class("-off")

    def compose(self) -> ComposeResult:
        """Every place, empty."""
        for start in range(0, MOST, IN_A_ROW):
            with Horizontal(classes="row" if start < FEW else "row -off"):
                yield from self._places[start : start + IN_A_ROW]

    @property
    def shown(self) -> list[Chart]:
        """The charts that are there, in order."""
        return self._places[: len(self.plans)]

    def place_of(self, chart: object) -> int | None:
        """The place of a chart among those that are shown."""
        return next((place for place, one in enumerate(self.shown) if one is chart), None)

    def show(self, run: RunRecord, plans: Sequence[ChartPlan], bands: Bands | None) -> None:
        """Draw these; a place whose metric is another one than before begins as at first."""
        before, self.plans = self.plans, tuple(plans)
        if before != self.plans:
            for chart, old, new in zip_longest(self._places, before, self.plans):
                chart.set_class(new is None, "-off")
                if old is not None and new is not None and old.metric != new.metric:
                    chart.reset()
            for number, row in enumerate(self.children):
                row.set_class(number * IN_A_ROW >= len(self.plans), "-off")
        for chart, plan in zip(self._places, self.plans, strict=False):
            marks = run.series_of(plan.marks) if plan.marks else None
            overlay = run.series.get(plan.overlay)
            chart.show(run.series_of(plan.metric), marks, look_of(run, plan, bands), overlay)


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
