"""The key of the Queue screen that shows what a run is fed, below the lines of the hosts."""

from remote.protocol.errors import CallError
from remote.protocol.trained import FeedReport
from tui.screens.bridge import OnFeed
from tui.screens.run_actions import RunActions
from tui.store.facts import why_not as why_no_link
from tui.store.store import RunKey
from tui.theme import DIM, STRONG, hue
from tui.widgets.feed_rows import RIGHT, feed_columns, feed_head, feed_rows
from tui.widgets.keyed_table import KeyedTable
from tui.widgets.lines import line
from tui.widgets.panel import Panel

FEED_EVERY_S = 10.0  # each answer is a process on the host


class FeedKeys(RunActions):
    """One run's feed at a time; it is asked anew while it is shown."""

    def __init__(self) -> None:
        super().__init__()
        self._fed: RunKey | None = None
        self._report: FeedReport | None = None
        self._feed_trouble = ""
        self._feed_asked: float | None = None

    def action_feed(self) -> None:
        """Show the feed of the chosen run, or put it away."""
        target = self.target()
        if self._fed is not None and target in (self._fed, None):
            self._fed = None
        elif (run := self.chosen()) is None:
            self.notify("choose a run: its feed is shown below", timeout=3)
            return
        elif reason := why_no_link(self.bridge.store.host_of(run)):
            self.notify(reason, title="cannot read the feed", severity="warning", markup=False)
            return
        else:
            self._fed, self._report, self._feed_trouble, self._feed_asked = target, None, "", None
        self.paint()

    def paint_feed(self) -> None:
        """Ask where that is due, and show what is known."""
        self.set_class(self._fed is not None, "-fed")
        run = self.bridge.store.run_of(self._fed)
        if self._fed is None or run is None:
            return
        now, reason = self.bridge.now(), why_no_link(self.bridge.store.host_of(run))
        if not reason and (self._feed_asked is None or now - self._feed_asked >= FEED_EVERY_S):
            self._feed_asked = now
            self.bridge.shelves.feed(run.host, run.run_id, self._hear_feed(self._fed))
        head = line(("Feed of ", DIM), (run.name, STRONG), (f"   {run.host} is asked", DIM))
        if self._report is not None:
            head = feed_head(run.name, self._report)
        trouble = reason or self._feed_trouble
        said = [head] if not trouble else [head, line((trouble, hue("amber")))]
        self.query_one("#fed", Panel).lay(lambda _width, _height: said)
        table = self.query_one("#shards", KeyedTable)
        table.lay(feed_columns(self.app.size.width), RIGHT)
        table.show(feed_rows(self._report) if self._report is not None else {})

    def _hear_feed(self, key: RunKey) -> OnFeed:
        def heard(answer: FeedReport | CallError) -> None:
            if key != self._fed:
                return
            if isinstance(answer, CallError):
                self._feed_trouble = answer.in_full
            else:
                self._report, self._feed_trouble = answer, ""
            if self.is_mounted and self.is_current:
                self.call_after_refresh(self.paint)

        return heard
