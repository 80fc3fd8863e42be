"""What `photinus-train` of a host says of a run, and does with what it keeps."""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from tui.screens.bridge import OnFeed, OnOutcome, OnPlan
from tui.workers.errands import Errands, Post

if TYPE_CHECKING:
    from remote.actions import Outcome
    from remote.protocol.trained import FeedReport, RetentionAnswer
    from remote.session.session import Session


class TrainedWork(Errands):
    """Pins, plans, lets go and brings back, on the hosts of these sessions."""

    def __init__(self, sessions: Mapping[str, "Session"], post: Post) -> None:
        """`post` runs a function on the screen's thread."""
        super().__init__(post)
        self._sessions = sessions

    def pin(self, host: str, run_id: str, name: str, pinned: bool, on_outcome: OnOutcome) -> None:
        """Keep a checkpoint whatever the policy says, or leave it to the policy again."""

        def act() -> "Outcome":
            from remote.actions import Outcome
            from remote.actions.trained.trainer_answers import pin_checkpoint

            pin_checkpoint(self._sessions[host], run_id, name, pinned)
            said = "is pinned: no policy lets it go" if pinned else "is pinned no more"
            return Outcome(True, None, message=f"{name} of {run_id} {said}")

        self._do(act, on_outcome)

    def plan(self, host: str, run_id: str, on_plan: OnPlan) -> None:
        """Ask what the run's policy would let go."""

        def plan() -> "RetentionAnswer":
            from remote.actions.trained.trainer_answers import plan_retention

            return plan_retention(self._sessions[host], run_id)

        self._answer(plan, on_plan)

    def retain(self, host: str, run_id: str, plan: str, on_outcome: OnOutcome) -> None:
        """Let go exactly what that plan said."""

        def act() -> "Outcome":
            from remote.actions import Outcome
            from remote.actions.trained.trainer_answers import carry_out_retention

            gone = carry_out_retention(self._sessions[host], run_id, plan).remove
            return Outcome(True, None, message=f"in the trash of {run_id}: {_listed(gone)}")

        self._do(act, on_outcome)

    def restore(self, host: str, run_id: str, on_outcome: OnOutcome) -> None:
        """Undo the last retention."""

        def act() -> "Outcome":
            from remote.actions import Outcome
            from remote.actions.trained.trainer_answers import restore_checkpoints

            back = restore_checkpoints(self._sessions[host], run_id)
            said = f"back in {run_id}: {_listed(back)}" if back else f"the trash of {run_id} is empty"
            return Outcome(True, None, message=said)

        self._do(act, on_outcome)

    def feed(self, host: str, run_id: str, on_feed: OnFeed) -> None:
        """Ask for the ledger of a run that is fed."""

        def ledger() -> "FeedReport":
            from remote.actions.trained.trainer_answers import read_feed

            return read_feed(self._sessions[host], run_id)

        self._answer(ledger, on_feed)

    def wish(self, host: str, run_id: str, words: Sequence[str], on_outcome: OnOutcome) -> None:
        """Ask something of a feed, and tell what it answered."""

        def act() -> "Outcome":
            from remote.actions import Outcome
            from remote.actions.trained.trainer_answers import ask_feed

            return Outcome(True, None, message=f"{run_id}: {ask_feed(self._sessions[host], run_id, words)}")

        self._do(act, on_outcome)


def _listed(names: list[str]) -> str:
    more = f" and {len(names) - 3} more" if len(names) > 3 else ""
    return ", ".join(names[:3]) + more
