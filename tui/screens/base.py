"""What the screens share: the bars, the keys that act on a run, and the chosen target."""

from abc import abstractmethod
from typing import Any, ClassVar, cast

from textual.app import ComposeResult
from textual.events import Resize
from textual.screen import Screen

from tui.keys import ACTING, Where
from tui.screens.bridge import Bridge
from tui.screens.confirm import Confirm, describe
from tui.screens.help import Help
from tui.store.facts import why_not as why_no_link
from tui.store.runs import RunRecord
from tui.store.store import RunKey
from tui.widgets.bars import KeyBar, TopBar
from tui.widgets.keyed import KeyedTable
from tui.widgets.logview import LogView

FAR = 1 << 40
LOOKING = "read-only is on: nothing is changed on any host. ctrl+r turns it off"


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
        self.query_one(TopBar).show(bridge.store, bridge.now(), read_only=bridge.read_only)
        self.query_one(KeyBar).show(self.why_not)

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
            return LOOKING
        return self.why_not_here(action)

    def why_not_here(self, action: str) -> str:
        """The same for an act on the chosen run, with the link and the run's state as reasons."""
        store = self.bridge.store
        if action == "start":
            reasons = [why_no_link(host) for host in store.hosts.values()]
            return "" if any(not reason for reason in reasons) else next(iter(reasons), "no host is known")
        run = self.chosen()
        if run is None:
            return "no run is chosen"
        return why_no_link(store.host_of(run)) or _why_not_in_state(action, run)

    def _refuse(self, action: str) -> bool:
        """Say why an action is not possible; whether that was so. It is never queued."""
        reason = self.why_not(action)
        if reason:
            self.notify(reason, title=f"cannot {action}", severity="warning", markup=False)
        return bool(reason)

    def told(self, outcome: Any) -> None:
        """How an act ended."""
        text = outcome.message if outcome.ok or not outcome.remedy else f"{outcome.message}. {outcome.remedy}"
        self.notify(text, severity="information" if outcome.ok else "error", markup=False)

    def action_help(self) -> None:
        """The list of keys."""
        self.app.push_screen(Help())

    def action_palette(self) -> None:
        """Every command by name."""
        self.app.action_command_palette()

    async def action_quit(self) -> None:
        """Leave the cockpit; runs go on."""
        await self.app.action_quit()

    def action_fleet(self) -> None:
        """All hosts and runs."""
        self.bridge.show("fleet")

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
        said = f"{count} alert{'' if count == 1 else 's'} acknowledged" if count else "no alert is waiting"
        self.notify(said, timeout=2)
        self.paint()

    def action_alerts(self) -> None:
        """Every alert with its time."""
        from tui.screens.alertlist import AlertList

        bridge = self.bridge
        self.app.push_screen(AlertList(bridge.store, bridge.now(), bridge.wall()))

    def action_read_only(self) -> None:
        """Read-only on or off."""
        self.bridge.set_read_only(not self.bridge.read_only)
        on = self.bridge.read_only
        self.notify("read-only: keys change nothing on any host" if on else "keys act on hosts again")
        self.paint()

    def action_run(self) -> None:
        """The chosen run."""
        self.bridge.open_run(self.target())

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

    def action_start(self) -> None:
        """The start form."""
        if self._refuse("start"):
            return
        from tui.screens.start import StartForm  # the schema is read when the form is first needed

        def sent(answer: Any) -> None:
            if answer is not None:
                host, request = answer
                self.bridge.acts.start(host, request, self._started)

        ready = {name: host.devices for name, host in self.bridge.store.hosts.items() if host.link.is_up}
        self.app.push_screen(StartForm(ready), sent)

    def _started(self, outcome: Any) -> None:
        self.told(outcome)
        if outcome.ok and outcome.run is not None:
            self.bridge.open_when_heard(outcome.run.run_id)

    def action_resume(self) -> None:
        """Resume the chosen run."""
        run = self.chosen()
        if not self._refuse("resume") and run is not None:
            self.notify(f"resuming {run.run_id}", markup=False)
            self.bridge.acts.resume(run.host, run.run_id, self.told)

    def action_stop(self) -> None:
        """Ask whether to stop the chosen run."""
        self._ask("stop")

    def action_kill(self) -> None:
        """Ask whether to kill the chosen run."""
        self._ask("kill")

    def _ask(self, action: str) -> None:
        """Capture the target, show it, and do it if the same key comes again."""
        run = self.chosen()
        if self._refuse(action) or run is None:
            return
        host, view = run.host, run.view
        policy = self.bridge.store.host_of(run).confirm

        def answered(yes: bool | None) -> None:
            if not yes:
                return
            now = self.bridge.store.run_of((host, view.run_id))
            if now is None or now.view.attempt != view.attempt:
                changed = f"{view.run_id} has changed since you looked: nothing was done"
                self.notify(changed, severity="warning", markup=False)
                return
            act = self.bridge.acts.stop if action == "stop" else self.bridge.acts.kill
            act(host, view.run_id, self.told)

        if policy == "none":
            answered(True)
            return
        text = describe(action, view, host, run.step)
        self.app.push_screen(Confirm(action, text, view.name if policy == "name" else ""), answered)


def _why_not_in_state(action: str, run: RunRecord) -> str:
    """Why the run's state does not allow it."""
    view = run.view
    if action == "resume":
        if not view.is_terminal:
            return f"{view.run_id} is {view.state}: only a run that is over is resumed"
        return (
            ""
            if view.resumable
            else f"{view.run_id} cannot be resumed: {view.why_not or 'its host gives no reason'}"
        )
    if view.is_terminal:
        return f"{view.run_id} is over ({view.state})"
    return ""
