"""The keys of a replay: screens show a run, or all of them, as they were."""

from tui.keys import ACTING, shown
from tui.screens.run_actions import RunActions
from tui.store.past.replay import Replay, Shown, replay_of

PRESENT = "what is shown is the past"


class ReplayKeys(RunActions):
    """What a screen needs that can show the past."""

    @property
    def shown(self) -> Shown:
        """What is to be painted: the present, or the time that is replayed."""
        bridge = self.bridge
        if bridge.replay is None:
            return Shown(bridge.store, bridge.now(), bridge.wall())
        bridge.replay.advance(bridge.now())
        return bridge.replay.shown(bridge.store, bridge.now(), bridge.wall())

    def why_not(self, action: str) -> str:
        """While the past is shown no key changes the present: it acts on what one sees, or not at all."""
        reason = super().why_not(action)
        if not reason and self.bridge.replay is not None and action in ACTING:
            return f"{PRESENT}: {shown('back')} goes back to now"
        return reason

    def action_replay(self) -> None:
        """Begin a replay, play on, or stand."""
        bridge = self.bridge
        if bridge.replay is not None:
            bridge.replay.toggle()
        elif (begun := replay_of(bridge.store, self.replayed(), bridge.wall())) is not None:
            bridge.replay = begun
            begun.advance(bridge.now())
        else:
            self.notify("no row here has a time: there is nothing to replay", severity="warning")
        self.paint()

    def replayed(self) -> tuple[str, str] | None:
        """The run whose time is replayed; None for all of them."""
        return self.target()

    def _replay(self) -> Replay | None:
        """The replay; where there is none it begins, and stands at its end: now."""
        if (running := self.bridge.replay) is not None:
            return running
        self.action_replay()
        begun = self.bridge.replay
        if begun is not None:
            begun.toggle()
            begun.move_to(begun.end)
        return begun

    def action_replay_step(self, change: int) -> None:
        """Earlier or later."""
        if (replay := self._replay()) is not None:
            replay.step(change)
            self.paint()

    def action_replay_speed(self, change: int) -> None:
        """Faster or slower."""
        if (replay := self._replay()) is not None:
            replay.faster(change)
            self.notify(f"a second shows {replay.speed:,.0f} s", timeout=2)
            self.paint()

    def leave_replay(self) -> bool:
        """Back to now; whether it was not now."""
        was, self.bridge.replay = self.bridge.replay, None
        if was is not None:
            self.paint()
        return was is not None
