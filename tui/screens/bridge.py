"""What a screen may ask of the cockpit around it: the picture, the clock, the acts."""

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Protocol

from tui.store.store import RunKey, Store

if TYPE_CHECKING:
    from remote.actions import Outcome, StartRequest

Told = Callable[["Outcome"], None]


class Acts(Protocol):
    """What keys do to hosts. Every method returns at once; the outcome is told on the screen's thread."""

    def start(self, host: str, request: "StartRequest", told: Told) -> None:
        """Start a run."""

    def resume(self, host: str, run_id: str, told: Told) -> None:
        """Resume a run from its newest whole checkpoint."""

    def stop(self, host: str, run_id: str, told: Told) -> None:
        """Ask a run to save and end."""

    def kill(self, host: str, run_id: str, told: Told) -> None:
        """End a run now."""

    def reconnect(self, host: str) -> None:
        """Try the link now."""

    def hosts(self) -> Sequence[str]:
        """The names of all hosts."""


class Bridge(Protocol):
    """The cockpit, as its screens see it."""

    store: Store
    acts: Acts

    def now(self) -> float:
        """Monotonic seconds."""

    def wall(self) -> float:
        """Epoch seconds."""

    def open_run(self, key: RunKey | None) -> None:
        """Show the Run screen of this run, or of the one opened last."""

    def open_when_heard(self, run_id: str) -> None:
        """Show the Run screen of this run as soon as its host has told of it."""

    def show_fleet(self) -> None:
        """Show the Fleet screen."""
