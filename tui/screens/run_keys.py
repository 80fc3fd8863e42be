"""The keys of the Run screen: which panel has the keyboard, how charts look, where the log stands."""

from typing import TYPE_CHECKING

from textual.widget import Widget
from textual.widgets import Input

from remote.protocol.errors import CallError
from tui.screens.chart_keys import ChartKeys
from tui.store.facts import why_not
from tui.widgets.chart.chart import Chart
from tui.widgets.log_view import LogView

if TYPE_CHECKING:
    from remote.protocol.results import Backfill


class RunKeys(ChartKeys):
    """What the keys of a run's screen do; the screen itself says what is shown."""

    _panel = 0
    _fetching = False
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
        """Back by one: an enlarged panel, a search, the screen."""
        search, log = self.query_one("#search", Input), self.query_one(LogView)
        if self.maximized is not None:
            self.minimize()
        elif any(chart.view.cursor is not None for chart in self.query(Chart)):
            for chart in self.query(Chart):
                chart.point(None)
        elif search.has_class("-shown") or log.searched is not None:
            self._close_search()
            log.search("")
            self.paint()
        else:
            self.bridge.show("fleet")

    def fresh(self) -> None:
        """Nothing enlarged, nothing searched for, every chart as at first."""
        if self.maximized is not None:
            self.minimize()
        self._close_search()
        log = self.query_one(LogView)
        log.search("")
        log.follow = True
        for chart in self.query(Chart):
            chart.reset()
        self._smooth_all()
        self._choose(0)

    # The log.

    def on_log_view_top(self) -> None:
        """Fetch what stands before the first line; what is looked at stays in view."""
        run = self.chosen()
        if run is None or run.log.head is None or self._fetching or why_not(self.bridge.store.host_of(run)):
            return
        self._fetching, log = True, run.log
        file, before = run.log.head

        def received(piece: "Backfill | CallError") -> None:
            self._fetching = False
            if isinstance(piece, CallError):
                log.head = None
                self.notify(f"no older lines: {piece.message}", severity="warning", markup=False)
            else:
                log.prepend(piece.file, piece.offset, piece.data, is_first=piece.is_first)
                self.paint()

        self.bridge.acts.older(run.host, run.run_id, file, before, received)

    def action_search(self) -> None:
        """Open the search line."""
        if self.maximized is not None:
            self.minimize()
        self._choose(len(self._panels()) - 1)
        search = self.query_one("#search", Input)
        search.add_class("-shown")
        self.set_focus(search)  # at once: what is typed next is for it

    def on_input_submitted(self, event: Input.Submitted) -> None:
        """Search, and show the newest match."""
        log = self.query_one(LogView)
        self._close_search()
        try:
            found = log.search(event.value)
        except TimeoutError:
            self._search_took_too_long()
            return
        if event.value and not found:
            bad = log.searched is not None and log.searched.is_literal
            as_text = ", which is no regular expression and was taken as it stands" if bad else ""
            self.notify(f"no line matches {event.value}{as_text}", severity="warning", markup=False)
        elif found:
            self._go(forward=False)
        self.paint()

    def _close_search(self) -> None:
        self.query_one("#search", Input).remove_class("-shown")
        self.set_focus(self.query_one(LogView))

    def _go(self, *, forward: bool) -> None:
        log = self.query_one(LogView)
        try:
            place = log.go(forward=forward)
        except TimeoutError:
            self._search_took_too_long()
            return
        if log.searched is None:
            self.notify("nothing is searched for: press /", severity="warning")
        elif place is not None:
            self.notify(f"match {place[0]} of {place[1]}", timeout=2)
        self.paint()

    def _search_took_too_long(self) -> None:
        self.notify("that pattern takes too long on this log: nothing is searched for", severity="warning")
        self.paint()

    def action_next_match(self) -> None:
        """The next match."""
        self._go(forward=True)

    def action_previous_match(self) -> None:
        """The match before."""
        self._go(forward=False)

    def action_follow(self) -> None:
        """Follow the log's end, or stay here."""
        self.query_one(LogView).toggle_follow()
        self.paint()
