"""Screen 5: what runs on every host and why it is listed, the locks beside it, and an end for orphans."""

from typing import ClassVar

from textual.app import ComposeResult
from textual.containers import Horizontal, Vertical
from textual.events import Resize

from remote.protocol.errors import CallError
from remote.protocol.results import ProcessList
from tui.keys import Where, bindings, shown
from tui.screens.base import CockpitScreen
from tui.screens.dialogs.confirm import Confirm
from tui.store.census import Census, Process, census
from tui.store.facts import why_not as why_no_link
from tui.store.store import RunKey
from tui.store.words import duration, size
from tui.theme import DIM
from tui.widgets.keyed_table import Cells, KeyedTable
from tui.widgets.lines import line
from tui.widgets.panel import Panel
from tui.widgets.process_rows import columns, detail, foreign, lock_rows, ours

ASK_EVERY_S = 3.0
NARROW, SHORT = 120, 30


class Processes(CockpitScreen):
    """One tree of every host; it is asked anew while the screen is in front."""

    where: ClassVar[Where] = "processes"
    BINDINGS: ClassVar = bindings("processes")
    AUTO_FOCUS: ClassVar[str | None] = "#ours"
    CSS: ClassVar[str] = """
    Processes { layout: vertical; }
    Processes #beside { height: 1fr; margin: 1 0 0 0; }
    Processes #trees { width: 1fr; }
    Processes #foreigntitle { height: auto; padding: 0 1; margin: 1 0 0 0; }
    Processes #foreign { height: auto; max-height: 7; }
    Processes #detail { height: 4; padding: 0 1; margin: 1 0 0 0; }
    Processes #locks { width: 44; padding: 0 1 0 2; border-left: solid $border; height: 1fr; }
    Processes.-narrow #beside { layout: vertical; }
    Processes.-narrow #locks {
        width: 1fr; height: 7; border-left: none; padding: 0 1; margin: 1 0 0 0;
    }
    Processes.-short #locks { height: 4; margin: 0; }
    Processes.-short #foreign { max-height: 3; }
    Processes.-short #foreigntitle { margin: 0; }
    Processes.-short #detail { height: 3; margin: 0; }
    """

    def __init__(self) -> None:
        super().__init__()
        self._census: dict[str, Census] = {}
        self._asked: dict[str, float] = {}
        self._rows: dict[str, tuple[str, Process]] = {}

    def body(self) -> ComposeResult:
        """The tree; under it what is not ours; beside it the locks."""
        with Horizontal(id="beside"):
            with Vertical(id="trees"):
                yield KeyedTable("ours")
                yield Panel("foreigntitle")
                yield KeyedTable("foreign")
                yield Panel("detail")
            yield Panel("locks", "Locks")

    @property
    def table(self) -> KeyedTable:
        """The processes that can be chosen."""
        return self.query_one("#ours", KeyedTable)

    def on_resize(self, _event: Resize | None = None) -> None:
        """Beside each other where there is room."""
        self.set_class(self.app.size.width < NARROW, "-narrow")
        self.set_class(self.app.size.height < SHORT, "-short")
        super().on_resize()

    def on_keyed_table_chosen(self) -> None:
        """Another row was chosen."""
        if self.is_mounted:
            self.call_after_refresh(self.paint)

    def chosen_host(self) -> str | None:
        """The host of the row under the cursor."""
        row = self.table.chosen
        if row is None:
            return None
        return row.split(" ")[-1].split("/")[0]

    def process(self) -> tuple[str, Process] | None:
        """Host and process under the cursor of the table that has the keyboard."""
        table = self.query_one("#foreign", KeyedTable)
        if not (table.has_focus and table.display):
            table = self.table
        return self._rows.get(table.chosen or "")

    def target(self) -> RunKey | None:
        """The run that the process under the cursor belongs to."""
        found = self.process()
        if found is not None and found[1].run_id:
            return found[0], found[1].run_id
        row = self.table.chosen or ""
        host, _, run_id = row.removeprefix("run ").partition("/")
        return (host, run_id) if row.startswith("run ") else None

    def paint(self) -> None:
        """Ask what has not been asked for a while, and show what is known."""
        super().paint()
        store, now = self.bridge.store, self.bridge.now()
        self._inquire(now)
        shown_at = columns(max(self.query_one("#trees").size.width, 40))
        first = shown_at[0][2]
        rows: dict[str, Cells] = {}
        strangers: dict[str, Cells] = {}
        self._rows = {}
        for name, host in store.hosts.items():
            known = self._census.get(name) if host.link.is_up else None
            rows |= ours(host, known, now, first)
            strangers |= foreign(name, known)
            for one in known.processes if known else ():
                self._rows[f"{name}/{one.row}"] = (name, one)
        self.table.lay(shown_at)
        self.table.show(rows)
        table = self.query_one("#foreign", KeyedTable)
        table.lay([(name, "foreign" if name == "what" else title, wide) for name, title, wide in shown_at])
        table.show(strangers)
        table.display = bool(strangers)
        heading = (
            f"No run of ours (tab): {shown('end')} ends what is yours, the rest is never touched"
            if strangers
            else "No foreign process computes here"
        )
        self.query_one("#foreigntitle", Panel).lay(lambda _width, _height: [line((heading, DIM))])
        up = {name: found for name, found in self._census.items() if store.hosts[name].link.is_up}
        here = self.chosen_host()
        self.query_one("#locks", Panel).lay(
            lambda width, height: lock_rows(up, here, width)[: max(height, 1)]
        )
        found = self.process()
        self.query_one("#detail", Panel).lay(
            lambda width, _height: detail(found[1] if found else None, width)
        )

    def _inquire(self, now: float) -> None:
        """Ask every host that is up and was not asked for a while; answers come when they come."""
        for name, host in self.bridge.store.hosts.items():
            if host.link.is_up and now - self._asked.get(name, -ASK_EVERY_S) >= ASK_EVERY_S:
                self._asked[name] = now
                self.bridge.acts.processes(name, lambda answer, name=name: self._hear(name, answer))  # type: ignore[misc]

    def _hear(self, host: str, answer: ProcessList | CallError) -> None:
        now = self.bridge.now()
        if isinstance(answer, CallError):
            self._census[host] = Census(now, trouble=answer.message)
        else:
            self._census[host] = census(answer, now)
        if self.is_current and self.is_mounted:
            self.call_after_refresh(self.paint)

    def why_not_here(self, action: str) -> str:
        """Why the chosen process cannot be ended."""
        if action not in ("reap", "end"):
            return super().why_not_here(action)
        found = self.process()
        if found is None:
            return "no process is chosen"
        host, one = found
        if reason := why_no_link(self.bridge.store.hosts[host]):
            return reason
        if action == "end":
            return why_not_end(one)
        if one.standing != "orphan" or one.start is None:
            return (
                f"pid {one.pid} is {one.standing}: only an orphan is ended here; x on the fleet stops a run"
            )
        return ""

    def action_end(self) -> None:
        """Ask for the pid of a process of one's own that is no run, and end exactly that one."""
        found = self.process()
        if self._refuse("end") or found is None:
            return
        host, one = found
        assert one.start is not None  # why_not_here
        start = one.start

        def answered(yes: bool | None) -> None:
            if yes:
                self._asked.pop(host, None)
                self.bridge.acts.end(host, one.pid, start, self.notify_outcome)

        self.app.push_screen(Confirm("end", describe_end(host, one), str(one.pid)), answered)

    def action_reap(self) -> None:
        """Ask whether to end the chosen orphan; what is shown is what is ended, or nothing is."""
        found = self.process()
        if self._refuse("reap") or found is None:
            return
        host, one = found
        assert one.start is not None  # why_not_here
        start = one.start
        policy = self.bridge.store.hosts[host].confirm

        def answered(yes: bool | None) -> None:
            if yes:
                self._asked.pop(host, None)
                self.bridge.acts.reap(host, one.run_id, one.pid, start, self.notify_outcome)

        if policy == "none":
            answered(True)
            return
        name = (
            self.bridge.store.runs[host, one.run_id].name
            if (host, one.run_id) in self.bridge.store.runs
            else ""
        )
        self.app.push_screen(Confirm("reap", describe(host, one), name if policy == "name" else ""), answered)


def why_not_end(one: Process) -> str:
    """Why `K` leaves a process alone; "" where its user may end it."""
    if one.standing != "foreign":
        return f"pid {one.pid} is {one.standing}, of {one.run_id}: {shown('end')} here is for what is no run"
    if one.why_not is None or one.start is None:
        return f"pid {one.pid}: {one.why_not or 'its host does not end it'}"
    return f"pid {one.pid}: {one.why_not}" if one.why_not else ""


def describe_end(host: str, one: Process) -> str:
    """The words before a process that is no run is ended."""
    memory = f"{size(one.memory)}" if one.memory is not None else "n/a"
    gpu = f"{size(one.gpu_memory)}" if one.gpu_memory is not None else "n/a"
    return "\n".join(
        (
            f"END pid {one.pid} on {host}?",
            f"It is no run: {one.why}.",
            f"Kernel start {one.start}, {duration(one.age_s)} old, of {one.user or 'you'}.",
            f"Memory {memory}, on devices ({one.devices or 'none that is known'}) {gpu}.",
            one.command or "Its command cannot be read.",
            *((f"Its output goes to {one.log}",) if one.log else ()),
            "",
            "SIGTERM, 2 s later SIGKILL, to exactly this process. What it has not saved is lost.",
        )
    )


def describe(host: str, one: Process) -> str:
    """The words of the dialog."""
    memory = f", {size(one.memory)}" if one.memory is not None else ""
    gpu = f", {size(one.gpu_memory)} of an accelerator" if one.gpu_memory is not None else ""
    return "\n".join(
        (
            f"END pid {one.pid} on {host}?",
            f"It was left behind by {one.run_id}: {one.why}.",
            f"It is {duration(one.age_s)} old{memory}{gpu}.",
            one.command or "Its command cannot be read.",
            "",
            "SIGTERM, 2 s later SIGKILL, to exactly this process: the host compares its start time first.",
        )
    )
