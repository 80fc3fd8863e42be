"""One act on several runs: the words of its question, and how it went in one message."""

from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING

from tui.store.runs import RunRecord

if TYPE_CHECKING:
    from remote.actions import Outcome

ASKS = {
    "stop": "Stop",
    "kill": "KILL",
    "resume": "Resume",
    "archive": "Archive",
    "trash": "Put into the trash",
}
DOES = {
    "stop": "Each finishes its step and saves; a command gets its stop signal.",
    "kill": "SIGTERM, 2 s later SIGKILL, to exactly their processes. No checkpoint is saved.",
    "resume": "Each goes on from its newest whole checkpoint.",
    "archive": "They leave the list; photinus restore brings each back.",
    "trash": "They leave the list; photinus restore brings each back, photinus rm --purge frees the disk.",
}


def describe_several(action: str, runs: Sequence[RunRecord], left: Mapping[str, str]) -> str:
    """The question, each run that is meant, and each that is left alone with the reason."""
    count = f"{len(runs)} runs" if len(runs) > 1 else "this run"
    alone = [f"left alone: {reason}" for reason in left.values()]
    return "\n".join(
        [f"{ASKS[action]} {count}?", *(_each(action, run) for run in runs), *alone, DOES[action]]
    )


def _each(action: str, run: RunRecord) -> str:
    pid = f", pid {run.view.pid}" if run.view.pid else ""
    lost = run.unsaved_steps if action == "kill" and not run.is_command else None
    costs = f": loses {lost:,} step{'' if lost == 1 else 's'}" if lost else ""
    return f"  {run.run_id} ({run.view.state}{pid}) on {run.host}{costs}"


class Tally:
    """Gathers the outcomes of one act on several runs: each failure is told, then how many went well."""

    def __init__(self, action: str, count: int, tell: "Callable[[Outcome], None]") -> None:
        self._action, self._count, self._tell = action, count, tell
        self._done = self._failed = 0

    def take(self, outcome: "Outcome") -> None:
        """One more has ended."""
        from remote.actions import Outcome

        self._done += 1
        self._failed += not outcome.ok
        if not outcome.ok:
            self._tell(outcome)
        if self._done == self._count:
            went = self._count - self._failed
            self._tell(Outcome(went > 0, None, message=f"{self._action}: {went} of {self._count} runs"))
