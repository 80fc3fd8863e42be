"""Screen 7: who computes on each host, and who waits: place, hold, what it waits for; and feeds."""

from typing import ClassVar

from textual.app import ComposeResult

from remote.protocol.errors import CallError
from remote.protocol.keeping import WaitingLine
from tui.keys import Where, bindings
from tui.screens.dialogs.picker import Picker
from tui.screens.keys.feed_keys import FeedKeys
from tui.store.facts import state_fact
from tui.store.facts import why_not as why_no_link
from tui.store.fleet.host_queue import HostQueue, WaitingRow, host_queue
from tui.store.store import RunKey
from tui.theme import DIM, PLAIN, STRONG, hue
from tui.widgets.keyed_table import KeyedTable
from tui.widgets.lines import line
from tui.widgets.panel import Panel
from tui.widgets.queue_rows import queue_columns, queue_rows

ASK_EVERY_S = 3.0
NOBODY = "A start whose device is taken can wait in line: the form asks (if the device is taken)"
NO_RUN = ""


class Queue(FeedKeys):
    """Every host's line; it is asked anew while the screen is in front."""

    where: ClassVar[Where] = "queue"
    BINDINGS: ClassVar = bindings("queue")
    AUTO_FOCUS: ClassVar[str | None] = "#queue"
    CSS: ClassVar[str] = """
    Queue { layout: vertical; }
    Queue KeyedTable { margin: 1 0 0 0; height: 1fr; }
    Queue #nobody { height: 2; padding: 0 1; }
    Queue #fed { height: 2; padding: 0 1; margin: 1 0 0 0; display: none; }
    Queue #shards { display: none; margin: 0; }
    Queue.-fed #fed, Queue.-fed #shards { display: block; }
    Queue.-fed #nobody { display: none; }
    """

    def __init__(self) -> None:
        super().__init__()
        self._known: dict[str, HostQueue] = {}
        self._asked: dict[str, float] = {}
        self._placed = False

    def body(self) -> ComposeResult:
        """The table, and what a line is for."""
        yield KeyedTable("queue")
        yield Panel("nobody")
        yield Panel("fed")
        yield KeyedTable("shards")

    @property
    def table(self) -> KeyedTable:
        """Hosts, who computes there, who waits."""
        return self.query_one("#queue", KeyedTable)

    def _words(self) -> list[str]:
        """The kind of the row under the cursor, its host, its run."""
        return (self.table.chosen or "").split(" ")

    def chosen_host(self) -> str | None:
        """The host of the row under the cursor."""
        words = self._words()
        return words[1] if len(words) > 1 else None

    def target(self) -> RunKey | None:
        """The run under the cursor."""
        words = self._words()
        return (words[1], words[2]) if len(words) == 3 else None

    def waiting(self) -> WaitingRow | None:
        """The run under the cursor, if it waits."""
        kind, *rest = self._words()
        if kind != "waits":
            return None
        queue = self._known.get(rest[0], HostQueue())
        return next((one for one in queue.rows if one.run_id == rest[1]), None)

    def on_keyed_table_chosen(self) -> None:
        """Another row was chosen."""
        if self.is_mounted:
            self.call_after_refresh(self.paint)

    def paint(self) -> None:
        """Ask what has not been asked for a while, and show what is known."""
        super().paint()
        store, now, width = self.bridge.store, self.bridge.now(), self.app.size.width
        for name, host in store.hosts.items():
            if host.link.is_up and now - self._asked.get(name, -ASK_EVERY_S) >= ASK_EVERY_S:
                self._asked[name] = now
                self.bridge.acts.queue(name, lambda answer, name=name: self._hear(name, answer))  # type: ignore[misc]
        self.table.lay(queue_columns(width), frozenset({"place"}))
        self.table.show(queue_rows(store, self._known, now, width))
        first = next((row for row in self.table.row_names if row.startswith("waits ")), None)
        if first is not None and not self._placed:
            self._placed = True  # once; then only the operator moves
            self.table.choose(first)
        said = [line((NOBODY, DIM))] if not any(queue.rows for queue in self._known.values()) else []
        self.query_one("#nobody", Panel).lay(lambda _width, _height: said)
        self.paint_feed()

    def _hear(self, host: str, answer: WaitingLine | CallError) -> None:
        now = self.bridge.now()
        if isinstance(answer, CallError):
            self._known[host] = HostQueue(now, trouble=answer.message)
        else:
            self._known[host] = host_queue(answer, now)
        if self.is_current and self.is_mounted:
            self.call_after_refresh(self.paint)

    def why_not_here(self, action: str) -> str:
        """Why the line cannot be changed for the chosen run."""
        if action not in ("hold", "await_run") and not action.startswith("place"):
            return super().why_not_here(action)
        if self.waiting() is None:
            return "choose a run that waits"
        return why_no_link(self.bridge.store.hosts[self._words()[1]])

    def action_open(self) -> None:
        """Open the chosen run."""
        if self.target() is None:
            self.notify("choose a run", timeout=2)
        else:
            self.bridge.open_run(self.target())

    def action_place(self, change: int) -> None:
        """Another place in line."""
        one = self.waiting()
        if self._refuse(f"place({change})") or one is None:
            return
        last = len(self._known[self._words()[1]].rows)
        place = min(max(one.place + change, 1), last)
        if place == one.place:
            self.notify("it is the first" if change < 0 else "it is the last", timeout=2)
        else:
            self._change(self._words()[1], one, place=place)

    def action_hold(self) -> None:
        """Let it wait until it is let go, or let it go."""
        one = self.waiting()
        if not self._refuse("hold") and one is not None:
            self._change(self._words()[1], one, held=not one.held)

    def action_await_run(self) -> None:
        """Choose a run whose success it waits for."""
        one, words = self.waiting(), self._words()
        if self._refuse("await_run") or one is None:
            return
        rows = {NO_RUN: line(("no run: ", PLAIN), ("its device alone", DIM))}
        for (host, run_id), run in self.bridge.store.runs.items():
            if (
                host == words[1]
                and run_id != one.run_id
                and not run.view.is_terminal
                and not run.view.is_watched
            ):
                fact = state_fact(run, self.bridge.store.hosts[host])
                rows[run_id] = line(
                    (f"{run.name[:34]:<35}", PLAIN), (f"{run_id:<26}", DIM), (fact.word, hue(fact.colour))
                )

        def answered(run_id: str | None) -> None:
            if run_id is not None:
                self._change(words[1], one, after=run_id)

        title = line((one.name or one.run_id, STRONG), (" waits until this run has succeeded:", DIM))
        self.app.push_screen(Picker(title, rows, "letters of its name", "no run has these letters"), answered)

    def _change(
        self,
        host: str,
        one: WaitingRow,
        *,
        place: int | None = None,
        held: bool | None = None,
        after: str | None = None,
    ) -> None:
        """Ask the host to change its line; what it answers is the line as it is then."""

        def told(answer: WaitingLine | CallError) -> None:
            if isinstance(answer, CallError):
                text = answer.in_full
                self.notify(text, severity="error", markup=False)
                self._keep(text, "error")
            else:
                self._hear(host, answer)

        self.bridge.acts.change_queue(host, one.run_id, told, place=place, held=held, after=after)
