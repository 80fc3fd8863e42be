"""The keys of the Queue screen that show what a run is fed, below the lines of the hosts, and act on it."""

from typing import TYPE_CHECKING

from remote.protocol.errors import CallError
from remote.protocol.trained import FeedReport, LedgerShard
from tui.keys import shown
from tui.screens.bridge import OnFeed
from tui.screens.dialogs.confirm import Confirm
from tui.screens.run_actions import RunActions
from tui.store.facts import why_not as why_no_link
from tui.store.store import RunKey
from tui.theme import DIM, STRONG, hue
from tui.widgets.feed_rows import RIGHT, feed_columns, feed_head, feed_rows
from tui.widgets.keyed_table import KeyedTable
from tui.widgets.lines import line
from tui.widgets.panel import Panel

if TYPE_CHECKING:
    from remote.actions import Outcome

FEED_EVERY_S = 10.0  # each answer is a process on the host
OF_A_SHARD = ("skip_shard", "retry_shard")


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

    def why_not_here(self, action: str) -> str:
        """Why nothing can be asked of the feed that is shown, or of its chosen shard."""
        if action not in ("pause_feed", *OF_A_SHARD):
            return super().why_not_here(action)
        run = self.bridge.store.run_of(self._fed)
        if run is None:
            return f"no feed is shown: {shown('feed', 'queue')} shows that of the chosen run"
        if reason := why_no_link(self.bridge.store.host_of(run)):
            return reason
        if self._report is None:
            return self._feed_trouble or "its host is asked: wait for what it says of the feed"
        if action in OF_A_SHARD and self._shard() is None:
            return "choose a file of the feed that is in training, waits, or is over"
        return ""

    def _shard(self) -> LedgerShard | None:
        """The shard under the cursor of the lower table."""
        kind, _, key = (self.query_one("#shards", KeyedTable).chosen or "").partition(" ")
        shards = self._report.shards if self._report is not None and kind == "shard" else []
        return next((one for one in shards if one.shard == key), None)

    def action_pause_feed(self) -> None:
        """Hold the feed that is shown, or let it go on."""
        if not self._refuse("pause_feed") and self._report is not None:
            self._wish("resume" if self._report.paused else "pause")

    def action_retry_shard(self) -> None:
        """Let the chosen shard wait again."""
        if not self._refuse("retry_shard") and (one := self._shard()) is not None:
            self._wish("retry", one.shard)

    def action_skip_shard(self) -> None:
        """Ask whether to leave the chosen shard out."""
        one = self._shard()
        if self._refuse("skip_shard") or one is None:
            return
        lost = "What is left of it is not trained." if one.state == "training" else "It is not trained."
        text = f"Skip {one.admitted.name} ({one.shard}, {one.state})?\n{lost} The feed goes on with the next."

        def answered(yes: bool | None) -> None:
            if yes:
                self._wish("skip", one.shard)

        self.app.push_screen(Confirm("skip_shard", text), answered)

    def _wish(self, *words: str) -> None:
        """Ask it of the feed that is shown; the ledger is read anew when that was answered."""
        if self._fed is None:
            return
        host, run_id = self._fed

        def told(outcome: "Outcome") -> None:
            self.notify_outcome(outcome)
            self._feed_asked = None
            if self.is_mounted and self.is_current:
                self.call_after_refresh(self.paint)

        self.notify(f"{run_id} is asked: {' '.join(words)}", timeout=3, markup=False)
        self.bridge.shelves.wish(host, run_id, words, told)

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
