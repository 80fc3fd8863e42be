"""The keys of a log: searching, filtering, marking, copying, and what stands before its first line."""

import os
from dataclasses import replace
from typing import TYPE_CHECKING, Any, Literal

from textual.widgets import Input

from remote.protocol.errors import CallError
from tui.keys import shown
from tui.screens.keys.replay_keys import ReplayKeys
from tui.store.facts import why_not
from tui.store.metrics.grid_choice import AS_IT_COMES
from tui.store.runs import RunRecord
from tui.widgets.log.clipboard import osc52, told
from tui.widgets.log.log_styles import LEVELS
from tui.widgets.log.log_view import LogView

if TYPE_CHECKING:
    from remote.protocol.results import Backfill

ASKED: dict[str, str] = {
    "search": "search: text or regular expression",
    "filter": "show lines with: text or regular expression; ! before it: without",
}


class LogKeys(ReplayKeys):
    """What keys do to the log of a screen that has one, and an input line `#search` below it."""

    _fetching = False
    _asked: Literal["search", "filter"] = "search"
    _chosen_look: object = None
    _is_first_match = False  # the newest match is shown when it is found

    @property
    def log_view(self) -> LogView:
        """The log."""
        return self.query_one(LogView)

    def on_log_view_top(self) -> None:
        """Fetch what stands before the first line; what is looked at stays in view."""
        run = self.chosen()
        if run is None or self.bridge.replay is not None or self._fetching:
            return
        if run.log.head is None or why_not(self.bridge.store.host_of(run)):
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

    # What is remembered of a kind of run.

    def _remember(self, **changes: Any) -> None:
        run, charts = self.chosen(), self.bridge.charts
        if run is None or not run.kind:
            return
        charts.put(run.kind, replace(charts.of(run.kind), **changes))
        if charts.trouble:
            self.notify(charts.trouble, severity="warning", markup=False)

    def look_as_chosen(self, run: RunRecord) -> None:
        """Filter and wrap the log as was chosen for runs of this kind, on this screen or the other one."""
        chosen = self.bridge.charts.of(run.kind) if run.kind else AS_IT_COMES
        wanted = (run.host, run.run_id, chosen.log_text, chosen.log_level, chosen.log_wraps)
        if not run.kind or wanted == self._chosen_look:
            return
        self._chosen_look, log = wanted, self.log_view
        kept = log.content.filtered
        if (chosen.log_text, chosen.log_level) != ((kept.text, kept.level) if kept is not None else ("", 0)):
            log.filter(chosen.log_text, chosen.log_level)
        if log.wraps != chosen.log_wraps:
            log.toggle_wrap()

    def reach_log(self) -> None:
        """Give the log the keyboard."""
        self.set_focus(self.log_view)

    def action_search(self) -> None:
        """Open the search line."""
        self._ask_for("search", "")

    def action_filter_log(self) -> None:
        """Open the line that filters."""
        kept = self.log_view.content.filtered
        self._ask_for("filter", kept.text if kept is not None else "")

    def _ask_for(self, asked: Literal["search", "filter"], text: str) -> None:
        self.reach_log()
        self._asked = asked
        search = self.query_one("#search", Input)
        search.placeholder, search.value = ASKED[asked], text
        search.add_class("-shown")
        self.set_focus(search)  # at once: what is typed next is for it

    def on_input_submitted(self, event: Input.Submitted) -> None:
        """Search, and show the newest match; or filter."""
        log, text = self.log_view, event.value
        self._close_search()
        if self._asked == "filter":
            level = log.content.filtered.level if log.content.filtered is not None else 0
            log.filter(text, level)
            self._remember(log_text=text)
            if log.content.filtered is not None and log.content.filtered.fault:
                self._say_no_pattern(text, log.content.filtered.fault)
        else:
            self._is_first_match = bool(text)
            log.search(text)
            if log.searched is not None and log.searched.fault:
                self._say_no_pattern(text, log.searched.fault)
            self._first_match()
        self.paint()

    def _say_no_pattern(self, text: str, fault: str) -> None:
        self.notify(
            f"{text} is no regular expression ({fault}) and was taken as it stands",
            severity="warning",
            markup=False,
        )

    def _first_match(self) -> None:
        """Show the newest match as soon as there is one; say so where there is none."""
        log = self.log_view
        if not self._is_first_match or log.searched is None:
            return
        if log.searched.numbers:
            self._is_first_match = False
            self._go(forward=False)
        elif log.searched.done:
            self._is_first_match = False
            self.notify(f"no line matches {log.searched.text}", severity="warning", markup=False)

    def on_log_view_looked(self, message: LogView.Looked) -> None:
        """More lines were looked at."""
        if message.fault:
            self._is_first_match = False
            self.notify(message.fault, severity="warning")
        self._first_match()
        self.paint()

    def _close_search(self) -> None:
        self.query_one("#search", Input).remove_class("-shown")
        self.set_focus(self.log_view)

    def leave_log(self) -> bool:
        """Back by one in the log: the input line, a search, a filter; whether there was something."""
        log = self.log_view
        if self.query_one("#search", Input).has_class("-shown") or log.searched is not None:
            self._close_search()
            self._is_first_match = False
            log.search("")
        elif log.content.filtered is not None:
            log.filter("", 0)
            self._remember(log_text="", log_level=0)
        else:
            return False
        self.paint()
        return True

    def fresh_log(self) -> None:
        """Nothing searched for, nothing left out, at the end."""
        self._close_search()
        log = self.log_view
        log.search("")
        log.filter("", 0)
        log.follow, self._chosen_look = True, None

    def _go(self, *, forward: bool) -> None:
        log = self.log_view
        place = log.go(forward=forward)
        if log.searched is None:
            self.notify(f"nothing is searched for: press {shown('search')}", severity="warning")
        elif place is not None:
            so_far = "" if log.searched.done else " so far"
            self.notify(f"match {place[0]} of {place[1]}{so_far}", timeout=2)
        self.paint()

    def action_next_match(self) -> None:
        """The next match."""
        self._go(forward=True)

    def action_previous_match(self) -> None:
        """The match before."""
        self._go(forward=False)

    def action_follow(self) -> None:
        """Follow the log's end, or stay here."""
        self.log_view.toggle_follow()
        self.paint()

    def action_level(self) -> None:
        """Every line, warnings and errors, errors alone."""
        log = self.log_view
        kept = log.content.filtered
        level = ((kept.level if kept is not None else 0) + 1) % len(LEVELS)
        log.filter(kept.text if kept is not None else "", level)
        self._remember(log_level=level)
        self.notify(LEVELS[level], timeout=2)
        self.paint()

    def action_wrap(self) -> None:
        """Wrap long lines, or cut them."""
        self._remember(log_wraps=self.log_view.toggle_wrap())
        self.paint()

    def action_times(self) -> None:
        """When lines came, where that is known."""
        on = self.log_view.toggle_times()
        self.notify("times of lines that came while the cockpit was open" if on else "no times", timeout=2)
        self.paint()

    def action_bookmark(self) -> None:
        """Mark the current line."""
        self.log_view.toggle_mark()
        self.paint()

    def action_next_bookmark(self) -> None:
        """The next marked line."""
        if not self.log_view.next_mark():
            key = shown("bookmark")
            self.notify(f"no line is marked: {key} marks the one found or clicked, or the first", timeout=3)
        self.paint()

    def action_copy(self) -> None:
        """Send lines to the clipboard of the terminal."""
        text, in_tmux = self.log_view.to_copy(), bool(os.environ.get("TMUX"))
        if not text:
            self.notify("there is no line to copy", timeout=2)
            return
        sequence, kept = osc52(text, in_tmux=in_tmux)
        self.bridge.to_terminal(sequence)
        self.notify(told(text, kept, in_tmux=in_tmux), timeout=8, markup=False)
