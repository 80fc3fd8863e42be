"""First steps: one hint at a time on the Fleet, each gone once it was done, all of them when told so."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass

from tui.store.store import Store

Keep = Callable[[frozenset[str]], None]


@dataclass(frozen=True, slots=True)
class Hint:
    """One step: the key, what it does, and from how many runs on it is worth doing."""

    step: str
    key: str
    text: str
    runs: int = 0


HINTS = (
    Hint("start", "s", "starts a run: a form shows what it would do before it does it"),
    Hint("run", "enter", "opens the run: charts, lamps with their reasons, its log", 1),
    Hint("help", "?", "lists the keys of the screen you are on; ctrl+p finds any of them by name"),
    Hint("checkpoints", "6", "shows what a run has saved, and brings it to this machine", 1),
    Hint("compare", "space", "marks runs, and 4 lays the marked ones over one another", 2),
    Hint("hosts", "8", "is where machines that you can ssh to are added (n) and tested (t)"),
)
STEPS = frozenset(hint.step for hint in HINTS)


class Tour:
    """Which steps were done. `keep` is told whenever one more was."""

    def __init__(self, done: Iterable[str] = (), keep: Keep = lambda _done: None) -> None:
        self._done = STEPS.intersection(done)
        self._keep = keep

    def did(self, *steps: str) -> None:
        """These were done; what is no step of it is passed over."""
        done = self._done | STEPS.intersection(steps)
        if done != self._done:
            self._done = done
            self._keep(done)

    def end(self) -> bool:
        """No more hints; whether there were any."""
        was_on = self._done != STEPS
        self.did(*STEPS)
        return was_on

    def next(self, store: Store) -> Hint | None:
        """What comes next; None where nothing does, or before a host has told its runs."""
        if not any(host.runs_seen for host in store.hosts.values()):
            return None
        if store.runs:
            self.did("start")
        if len(store.hosts) > 1:
            self.did("hosts")
        return next(
            (hint for hint in HINTS if hint.step not in self._done and len(store.runs) >= hint.runs), None
        )
