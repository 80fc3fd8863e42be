"""Screen 8: the hosts themselves: add, test step by step, deploy, doctor. Work goes on when it is left."""

from typing import ClassVar

from textual.app import ComposeResult
from textual.containers import Horizontal, Vertical
from textual.events import Resize

from remote.hosts.host import Host
from tui.keys import Where, bindings, shown
from tui.screens.base import CockpitScreen
from tui.store.facts import why_not as why_no_link
from tui.store.hosts import HostRecord
from tui.store.jobs import HostJob, Kind
from tui.store.log_ring import LogRing
from tui.store.store import RunKey
from tui.store.words import duration
from tui.theme import DIM, PLAIN, STRONG, hue
from tui.widgets.host_rows import about, columns, host_cells
from tui.widgets.keyed_table import KeyedTable
from tui.widgets.lines import Part, line
from tui.widgets.log.log_view import LogView
from tui.widgets.panel import Panel

NARROW = 120
BEFORE = {
    "test": ("tests the way to it step by step: name, port, host key,", "login, and the Photinus there"),
    "deploy": (
        "deploys Photinus: our wheel and an environment of its",
        "own, without root; then dials the new agent",
    ),
    "doctor": (
        "asks its doctor: stale locks, orphans, full disks, and",
        "what would help; it changes nothing",
    ),
    "add": ("adds a host: an ssh alias, or user@host:port",),
}
"""Action -> what it would do, in lines that the narrowest pane holds: shown until work has begun."""


class Hosts(CockpitScreen):
    """Every host with its link; below, what is known of the chosen one and the work on it."""

    where: ClassVar[Where] = "hosts"
    BINDINGS: ClassVar = bindings("hosts")
    AUTO_FOCUS: ClassVar[str | None] = "#hosts"
    CSS: ClassVar[str] = """
    Hosts { layout: vertical; }
    Hosts KeyedTable { margin: 1 0 0 0; height: auto; max-height: 40%; }
    Hosts #below { height: 1fr; margin: 1 0 0 0; }
    Hosts #about { width: 52; padding: 0 1; height: 1fr; }
    Hosts #work { width: 1fr; padding: 0 1; border-left: solid $border; }
    Hosts #worktitle { height: 1; }
    Hosts.-narrow #below { layout: vertical; }
    Hosts.-narrow #about { width: 1fr; height: 6; }
    Hosts.-narrow #work { border-left: none; margin: 1 0 0 0; }
    """

    def __init__(self) -> None:
        super().__init__()
        self._before = LogRing(20)
        for action, texts in BEFORE.items():
            for number, text in enumerate(texts):
                self._before.note(f"{shown(action) if not number else '':<4}{text}")
        self._wanted: str | None = None

    def body(self) -> ComposeResult:
        """The table, and what belongs to its chosen row."""
        yield KeyedTable("hosts")
        with Horizontal(id="below"):
            yield Panel("about")
            with Vertical(id="work"):
                yield Panel("worktitle")
                yield LogView("worklines")

    @property
    def table(self) -> KeyedTable:
        """The hosts."""
        return self.query_one("#hosts", KeyedTable)

    def on_resize(self, _event: Resize | None = None) -> None:
        """Beside each other where there is room."""
        self.set_class(self.app.size.width < NARROW, "-narrow")
        super().on_resize()

    def on_keyed_table_chosen(self) -> None:
        """Another host was chosen."""
        if self.is_mounted:
            self.call_after_refresh(self.paint)

    def chosen_host(self) -> str | None:
        """The host under the cursor."""
        return self.table.chosen

    def want(self, name: str) -> None:
        """Choose this host, once it is listed."""
        self._wanted = name
        if self.is_mounted:
            self.call_after_refresh(self.paint)

    def target(self) -> RunKey | None:
        """The newest live run of the chosen host."""
        runs = self.bridge.store.runs
        of_host = [key for key in runs if key[0] == self.chosen_host()]
        return next((key for key in of_host if runs[key].view.is_live), None)

    def paint(self) -> None:
        """Show what the store holds now."""
        super().paint()
        store, now, width = self.bridge.store, self.bridge.now(), self.app.size.width
        self.table.lay(columns(width))
        self.table.show({name: host_cells(host, now, width) for name, host in store.hosts.items()})
        if self._wanted in store.hosts:
            self.table.choose(str(self._wanted))
            self._wanted = None
        host = store.hosts.get(self.chosen_host() or "")
        if host is None:
            return
        twins = [name for name, other in store.hosts.items() if other is not host and _same(host, other)]
        head = line((host.name, STRONG))
        self.query_one("#about", Panel).lay(
            lambda width, height: [head, *about(host, twins, now, width)][: max(height, 1)]
        )
        job = host.job
        title = (
            line((f"nothing was begun on {host.name} yet", DIM)) if job is None else line(*_title(job, now))
        )
        self.query_one("#worktitle", Panel).lay(lambda _width, _height: [title])
        self.query_one("#worklines", LogView).show(job.lines if job is not None else self._before)

    def why_not_here(self, action: str) -> str:
        """Why a host cannot be worked on."""
        host = self.bridge.store.hosts.get(self.chosen_host() or "")
        if host is None:
            return "no host is chosen"
        if action == "deploy" and host.config is not None and host.config.is_local:
            return f"{host.name} is this machine: Photinus is here already"
        return ""

    def action_open(self) -> None:
        """What the chosen host asks."""
        name = self.chosen_host()
        if name is None or self.bridge.ask(name):
            return
        link = self.bridge.store.hosts[name].link
        if link.phase == "refused":
            message = ". ".join(text for text in (link.reason, link.remedy) if text)
            self.notify(message, title=f"{name} is refused", severity="warning", timeout=15, markup=False)
        else:
            self.notify(f"{name} asks nothing; {shown('test')} tests it", timeout=3, markup=False)

    def action_add(self) -> None:
        """The form for one more host."""
        from tui.screens.dialogs.add_host import AddHost

        def added(answer: Host | str) -> None:
            if isinstance(answer, str):
                self.notify(answer, title="not added", severity="error", markup=False, timeout=15)
                return
            self.bridge.add_host(answer)
            self._wanted = answer.name
            self._begin("test", answer.name)

        def sent(host: Host | None) -> None:
            if host is not None:
                self.bridge.work.add(host, added)

        self.app.push_screen(AddHost(frozenset(self.bridge.store.hosts)), sent)

    def action_test(self) -> None:
        """Test the chosen host."""
        self._begin("test", self.chosen_host())

    def action_deploy(self) -> None:
        """Deploy to the chosen host."""
        if not self._refuse("deploy"):
            self._begin("deploy", self.chosen_host())

    def action_doctor(self) -> None:
        """Ask the chosen host's doctor."""
        host = self.bridge.store.hosts.get(self.chosen_host() or "")
        if host is not None and (reason := why_no_link(host)):
            self.notify(reason, title="cannot ask the doctor", severity="warning", markup=False)
        else:
            self._begin("doctor", self.chosen_host())

    def _begin(self, kind: Kind, name: str | None) -> None:
        """Begin a piece of work, unless another one is going on there."""
        host = self.bridge.store.hosts.get(name or "")
        if host is None:
            return
        if host.job is not None and host.job.ended is None:
            self.notify(f"{host.job.kind} of {host.name} is still going on", severity="warning", markup=False)
            return
        host.job = HostJob(kind, host.name, self.bridge.now())
        work = self.bridge.work
        {"test": work.test, "deploy": work.deploy, "doctor": work.doctor}[kind](host.job)
        self.query_one("#worklines", LogView).follow = True
        self.paint()


def _same(one: HostRecord, other: HostRecord) -> bool:
    """Whether two names lead to the same state root."""
    return one.hello is not None and other.hello is not None and one.hello.host_id == other.hello.host_id


def _title(job: HostJob, now: float) -> tuple[Part, ...]:
    took = duration((job.ended if job.ended is not None else now) - job.begun)
    state, colour = (
        ("going on", "blue") if job.ended is None else ("well", "green") if job.ok else ("failed", "red")
    )
    return (job.kind, STRONG), (f"  {job.host}  ", PLAIN), (state, hue(colour)), (f"  {took}", DIM)  # type: ignore[arg-type]
