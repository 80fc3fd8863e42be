"""The keys and the mouse on a run's charts: what lies along them, which stretch is shown, and how."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

from tui.screens.dialogs.metric_picker import BY_ITSELF, MetricPicker
from tui.screens.run_actions import RunActions
from tui.store.metrics.axis import ALONG
from tui.store.metrics.chart_plan import put_on_chart
from tui.store.metrics.chart_window import ChartWindow
from tui.store.metrics.grid_choice import AS_IT_COMES, COLUMNS_MAX, GridChoice
from tui.widgets.chart.chart import Chart
from tui.widgets.chart.chart_grid import ChartGrid
from tui.widgets.chart.look import USUAL_SHARE


class ChartKeys(RunActions):
    """What the keys do to the charts; what was chosen is remembered for runs of that kind."""

    _smoothing = AS_IT_COMES.smoothing

    def _shown_charts(self) -> list[Chart]:
        """The charts that the run has."""
        return self.query_one(ChartGrid).shown

    def _chosen_charts(self) -> list[Chart]:
        """The focused chart, or all of them."""
        focused = self.focused
        return [focused] if isinstance(focused, Chart) else self._shown_charts()

    def _leader(self) -> Chart | None:
        """The focused chart, else the first."""
        focused = self.focused
        return focused if isinstance(focused, Chart) else next(iter(self._shown_charts()), None)

    # What is remembered.

    def _choice(self) -> GridChoice:
        run = self.chosen()
        return self.bridge.charts.of(run.kind) if run is not None and run.kind else AS_IT_COMES

    def _choose_grid(self, **changes: Any) -> None:
        run = self.chosen()
        if run is None or not run.kind:
            return
        self.bridge.charts.put(run.kind, replace(self.bridge.charts.of(run.kind), **changes))
        if self.bridge.charts.trouble:
            self.notify(self.bridge.charts.trouble, severity="warning", markup=False)
        self.paint()

    def _smooth_all(self) -> None:
        """Every chart as smooth as was chosen for runs of this kind."""
        chosen = self._choice().smoothing
        for chart in self.query(Chart):
            chart.set_view(smoothing=USUAL_SHARE if chosen < 0 else chosen)

    # The stretch that is shown.

    def _show_window(self, chart: Chart, window: ChartWindow) -> None:
        """One chart, or all together: their axis is one."""
        for one in (chart,) if self._choice().alone else self._shown_charts():
            one.set_view(window=window, begun=None)

    def on_chart_windowed(self, message: Chart.Windowed) -> None:
        """The mouse chose a stretch."""
        self._show_window(message.chart, message.window)

    def _window(self, found: Callable[[Chart], ChartWindow]) -> None:
        if (leader := self._leader()) is not None:
            self._show_window(leader, found(leader))

    def action_zoom(self, change: int) -> None:
        """Less of the axis, or more."""
        self._window(lambda chart: chart.zoomed(change))

    def action_pan(self, change: int) -> None:
        """Earlier, or later."""
        self._window(lambda chart: chart.panned(change))

    def action_begin(self) -> None:
        """A range begins at the cursor; `z` shows it."""
        leader = self._leader()
        step = leader.view.cursor if leader is not None else None
        if step is None:
            self.notify("put the cursor where the range begins: ← and →", timeout=3)
            return
        for chart in self._shown_charts():
            chart.set_view(begun=step)

    def action_alone(self) -> None:
        """Zoom and pan one chart, or all together."""
        alone = not self._choice().alone
        self._choose_grid(alone=alone)
        self.notify(
            "zoom and pan: the focused chart alone" if alone else "zoom and pan: all charts", timeout=2
        )

    def action_along(self) -> None:
        """By step, by time, by tokens: those that the run tells."""
        run = self.chosen()
        if run is None:
            return
        known = [along for along in ALONG if run.axes.along(along) is not None]
        if len(known) == 1:
            self.notify("this run tells neither times nor tokens", timeout=2)
            return
        here = known.index(now) if (now := self._choice().along) in known else 0
        self._choose_grid(along=known[(here + 1) % len(known)])

    def action_cursor(self, change: int) -> None:
        """Move the cursor of the focused chart; the others show the same step."""
        leader = self._leader()
        step = leader.beside(change) if leader is not None else None
        if step is not None:
            for chart in self.query(Chart):
                chart.point(step)

    # How it is drawn.

    def action_log_y(self) -> None:
        """Logarithmic axis on or off."""
        for chart in self._chosen_charts():
            chart.toggle_log()

    def action_robust(self) -> None:
        """Leave few values far out of all others outside of the axis, or hold every one."""
        for chart in self._chosen_charts():
            chart.set_view(robust=not chart.view.robust)

    def action_smooth(self, change: int) -> None:
        """A longer or shorter moving mean; that of all charts is remembered."""
        charts = self._chosen_charts()
        for chart in charts:
            chart.smooth(change)
        if len(charts) > 1:
            self._smoothing = charts[0].view.smoothing
            self._choose_grid(smoothing=self._smoothing)

    def action_reset(self) -> None:
        """The charts as they were at first."""
        for chart in self._chosen_charts():
            chart.reset()
        self._window(lambda chart: chart.view.window)

    def action_columns(self) -> None:
        """So many charts in a row: one more, or again as many as fit."""
        columns = (self._choice().columns + 1) % (COLUMNS_MAX + 1)
        self._choose_grid(columns=columns)
        self.notify(f"{columns} in a row" if columns else "as many in a row as fit", timeout=2)

    def action_metric(self) -> None:
        """Choose a metric for the focused chart, or for one more."""
        run = self.chosen()
        if run is None or not run.catalogue or not run.kind:
            self.notify("this run has told no metric yet", timeout=2)
            return
        grid, key = self.query_one(ChartGrid), self.target()
        place, names = grid.place_of(self.focused), [plan.metric for plan in grid.plans]
        where = (
            f"the chart of {grid.plans[place].title}"
            if place is not None
            else "one more chart; one that has a chart (●) loses it"
        )

        def answered(name: str | None) -> None:
            if name is None or self.target() != key:
                return
            self._choose_grid(names=tuple(put_on_chart(names, name, place)) if name != BY_ITSELF else ())

        self.app.push_screen(MetricPicker(run, names, where), answered)
