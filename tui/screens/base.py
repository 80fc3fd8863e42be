"""What the screens share: the bars, the keys that act on a run, and the chosen target."""

from abc import abstractmethod
from typing import Any, ClassVar, cast

from textual.app import ComposeResult
from textual.events import Resize
from textual.screen import Screen

from remote.protocol.sanitise import clean_line
from tui.keys import ACTING, RUNS, Where, shown
from tui.screens.bridge import Bridge
from tui.screens.dialogs.help import Help
from tui.store.alerts import Alert, Level
from tui.store.runs import RunRecord
from tui.store.store import RunKey
from tui.widgets.bars import KeyBar, TopBar
from tui.widgets.keyed_table import KeyedTable
from tui.widgets.log.log_view import LogView

FAR = 1 << 40


class CockpitScreen(Screen[None]):
    """A screen of the cockpit: painted from the store, twice a second and after each key."""

    AUTO_FOCUS: ClassVar[str | None] = None
    where: ClassVar[Where]

    @property
    def bridge(self) -> Bridge:
        """The cockpit around this screen."""
        return cast("Bridge", self.app)

    @abstractmethod
    def target(self) -> RunKey | None:
        """The run that the keys act on."""

    def chosen_host(self) -> str | None:
        """The host that the keys act on."""
        target = self.target()
        return target[0] if target is not None else None

    def body(self) -> ComposeResult:
        """Everything between the bars."""
        yield from ()

    def compose(self) -> ComposeResult:
        """The bars, and what lies between them."""
        yield TopBar(self.where)
        yield from self.body()
        yield KeyBar(self.where)

    def paint(self) -> None:
        """Show what the store holds now; widgets refresh only where something differs."""
        bridge = self.bridge
        replay = bridge.replay.words() if bridge.replay is not None and self.where in RUNS else ""
        self.query_one(TopBar).show(bridge.store, bridge.now(), read_only=bridge.read_only, replay=replay)
        self.query_one(KeyBar).show(self.why_not)
        if bridge.tour is not None:
            bridge.tour.did(self.where)

    def on_mount(self) -> None:
        """First paint, before any host was asked."""
        self.call_after_refresh(self.paint)

    def on_screen_resume(self) -> None:
        """Something may have changed while another screen was in front."""
        if self.is_mounted:
            self.call_after_refresh(self.paint)

    def on_resize(self, _event: Resize | None = None) -> None:
        """Widths changed."""
        self.call_after_refresh(self.paint)

    def chosen(self) -> RunRecord | None:
        """The run that the keys act on, as it is known now."""
        return self.bridge.store.run_of(self.target())

    def why_not(self, action: str) -> str:
        """Why an action is not possible now; empty where it is."""
        if action not in ACTING:
            return ""
        if self.bridge.read_only:
            return f"read-only is on: nothing is changed on any host. {shown('read_only')} turns it off"
        return self.why_not_here(action)

    def why_not_here(self, _action: str) -> str:
        """The same for what this screen's keys act on: the link, and the state of the target."""
        return ""

    def _refuse(self, action: str) -> bool:
        """Say why an action is not possible; whether that was so. It is never queued."""
        reason = self.why_not(action)
        if reason:
            word = action.partition("(")[0].replace("_", " ")
            self.notify(reason, title=f"cannot {word}", severity="warning", markup=False)
            self._keep(f"cannot {word}: {reason}", "warning")
        return bool(reason)

    def notify_outcome(self, outcome: Any) -> None:
        """Notify of how an act ended."""
        text = outcome.message if outcome.ok or not outcome.remedy else f"{outcome.message}. {outcome.remedy}"
        self.notify(text, severity="information" if outcome.ok else "error", markup=False)
        if not outcome.ok:
            self._keep(text, "error")

    def _keep(self, text: str, level: Level) -> None:
        """What is shown for seconds stands in the list of alerts too, as one that was seen."""
        self.bridge.store.alerts.append(Alert(self.bridge.now(), "", "", level, clean_line(text)))

    def action_help(self) -> None:
        """The list of keys."""
        self.app.push_screen(Help(self.where))
        if self.bridge.tour is not None:
            self.bridge.tour.did("help")

    def action_palette(self) -> None:
        """Every command by name."""
        self.app.action_command_palette()

    async def action_quit(self) -> None:
        """Leave the cockpit; runs go on."""
        await self.app.action_quit()

    def action_fleet(self) -> None:
        """All hosts and runs."""
        self.bridge.show("fleet")

    def action_compare(self) -> None:
        """Runs over one another: those that are marked, or the chosen one beside those before."""
        self.bridge.compare(self.marked(), self.target())

    def marked(self) -> tuple[RunKey, ...]:
        """Runs that were marked on this screen."""
        return ()

    def action_checkpoints(self) -> None:
        """What the chosen run has saved."""
        self.bridge.open_checkpoints(self.target())

    def action_queue(self) -> None:
        """Who waits on each host."""
        self.bridge.show("queue")

    def action_processes(self) -> None:
        """Processes and locks."""
        self.bridge.show("processes")

    def action_hosts(self) -> None:
        """The hosts themselves."""
        self.bridge.show("hosts")

    def action_back(self) -> None:
        """Back to the ground."""
        self.bridge.show("fleet")

    def action_answer(self) -> None:
        """What the chosen host asks, else the first that asks something."""
        host = self.chosen_host()
        if not (host is not None and self.bridge.ask(host)) and not self.bridge.ask(None):
            self.notify("no host asks anything", timeout=2)

    def action_acknowledge(self) -> None:
        """The alerts were seen."""
        count = self.bridge.store.acknowledge()
        message = f"{count} alert{'' if count == 1 else 's'} acknowledged" if count else "no alert is waiting"
        self.notify(message, timeout=2)
        self.paint()

    def action_alerts(self) -> None:
        """Every alert with its time."""
        from tui.screens.dialogs.alert_list import AlertList

        bridge = self.bridge
        self.app.push_screen(AlertList(bridge.store, bridge.now(), bridge.wall()))

    def action_read_only(self) -> None:
        """Read-only on or off."""
        self.bridge.set_read_only(not self.bridge.read_only)
        on = self.bridge.read_only
        self.notify("read-only: keys change nothing on any host" if on else "keys act on hosts again")
        self.paint()

    def action_ground(self) -> None:
        """Light or dark."""
        self.bridge.set_light(not self.bridge.is_light)

    def action_run(self) -> None:
        """The chosen run."""
        self.bridge.open_run(self.target())

    def action_log(self) -> None:
        """The log of the chosen run."""
        self.bridge.open_log(self.target())

    def action_next_panel(self) -> None:
        """Move the focus on."""
        self.focus_next()

    def action_previous_panel(self) -> None:
        """Move the focus back."""
        self.focus_previous()

    @property
    def mover(self) -> KeyedTable | LogView | None:
        """What `j`, `k`, `g` and `G` move in: what has the keyboard, else the first there is."""
        focused = self.focused
        if isinstance(focused, KeyedTable | LogView):
            return focused
        found = [*self.query(KeyedTable), *self.query(LogView)]
        return found[0] if found else None

    def action_move(self, lines: int) -> None:
        """So many lines down."""
        if (mover := self.mover) is not None:
            mover.action_move(lines)

    def action_far(self, end: int) -> None:
        """The first line (-1) or the last (1)."""
        self.action_move(end * FAR)

    def action_reconnect(self) -> None:
        """Try every link that is not up; say so where all are."""
        hosts = self.bridge.store.hosts
        away = [name for name, host in hosts.items() if host.link.phase != "connected"]
        for name in away:
            self.bridge.acts.reconnect(name)
        self.notify(f"reconnecting to {', '.join(away)}" if away else "every link is up", markup=False)
