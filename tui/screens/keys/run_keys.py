"""The keys of the Run screen: which panel has the keyboard, how charts look, where the log stands."""

from typing import TYPE_CHECKING

from textual.widget import Widget

from tui.screens.keys.chart_keys import ChartKeys
from tui.screens.keys.log_keys import LogKeys
from tui.widgets.chart.chart import Chart
from tui.widgets.log.log_view import LogView

if TYPE_CHECKING:
    pass


class RunKeys(ChartKeys, LogKeys):
    """What the keys of a run's screen do; the screen itself says what is shown."""

    _panel = 0
    _gave_way = False  # the log has the keyboard because there was nothing else

    # Panels: one has the keyboard; on a small terminal it is the only one shown.

    def _panels(self) -> list[Widget]:
        """The panels in the order in which `tab` visits them."""
        charts: list[Widget] = [] if self.has_class("-text") else list(self._shown_charts())
        return [*charts, self.query_one(LogView)]

    def _settle_focus(self) -> None:
        """Where the panel with the keyboard has gone, the first one takes it; charts that come have it."""
        panels = self._panels()
        if isinstance(self.focused, Chart) and self.focused not in panels:
            if self.maximized is not None:
                self.minimize()
            self._gave_way = len(panels) == 1
            self._choose(0)
        elif self._gave_way and len(panels) > 1:
            self._gave_way = False
            if isinstance(self.focused, LogView) and self.maximized is None:
                self._choose(0)

    def _choose(self, place: int) -> None:
        """Give one panel the keyboard."""
        panels = self._panels()
        self._panel = place % len(panels)
        for panel in self.query(".-current"):
            panel.remove_class("-current")
        chosen = panels[self._panel]
        for widget in (chosen, *chosen.ancestors):
            if isinstance(widget, Widget) and widget is not self:
                widget.add_class("-current")
        self.set_focus(chosen)  # at once: `focus()` waits behind what is painted meanwhile
        self.call_after_refresh(self.paint)

    def on_descendant_focus(self) -> None:
        """A click chose a panel: the next `tab` goes on from there."""
        panels = self._panels()
        if self.focused in panels:
            self._panel = panels.index(self.focused)
        if self.is_mounted:
            self.call_after_refresh(self.paint)

    def action_next_panel(self) -> None:
        """The next panel."""
        self._choose(self._panel + 1)

    def action_previous_panel(self) -> None:
        """The panel before."""
        self._choose(self._panel - 1)

    def action_enlarge(self) -> None:
        """Give the focused panel the whole screen, or take it back."""
        if self.maximized is not None:
            self.minimize()
        else:
            self.maximize(self._panels()[self._panel])

    def action_back(self) -> None:
        """Back by one: an enlarged panel, a search, a replay, the screen."""
        if self.maximized is not None:
            self.minimize()
        elif any(chart.view.cursor is not None for chart in self.query(Chart)):
            for chart in self.query(Chart):
                chart.point(None)
        elif not (self.leave_log() or self.leave_replay()):
            self.bridge.show("fleet")

    def fresh(self) -> None:
        """Nothing enlarged, nothing searched for, every chart as at first."""
        if self.maximized is not None:
            self.minimize()
        self.fresh_log()
        for chart in self.query(Chart):
            chart.reset()
        self._smooth_all()
        self._choose(0)

    def reach_log(self) -> None:
        """Give the log the keyboard, and room."""
        if self.maximized is not None:
            self.minimize()
        self._choose(len(self._panels()) - 1)

    def action_cursor(self, change: int) -> None:
        """Where the log has the keyboard, its lines move aside."""
        log = self.query_one(LogView)
        if not (log.has_focus and log.aside(change)):
            super().action_cursor(change)
