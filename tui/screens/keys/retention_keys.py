"""The keys of the Checkpoints screen that say what stays: pin, prove there, let go, bring back."""

from remote.protocol.errors import CallError
from remote.protocol.trained import RetentionAnswer
from tui.keys import shown
from tui.screens.dialogs.retention import RetentionDialog
from tui.screens.keys.checkpoint_keys import CheckpointKeys
from tui.store.facts import why_not as why_no_link
from tui.store.kept.shelf import CheckpointShelf
from tui.store.runs import RunRecord

HERE = frozenset({"pin_there", "retain", "bring_back", "prove"})


class RetentionKeys(CheckpointKeys):
    """What these keys do: the run is captured when one is pressed."""

    def why_not_here(self, action: str) -> str:
        """Why nothing can be asked of the host about this run's checkpoints."""
        run, row = self.chosen(), self._row()
        if run is None or action not in HERE:
            return super().why_not_here(action)
        if reason := why_no_link(self.bridge.store.host_of(run)):
            return reason
        if run.is_command or run.view.is_watched:
            return f"what {run.run_id} saves, by its own rules, is not known here"
        if action in ("retain", "bring_back"):
            return ""
        if row is None:
            return "no checkpoint is chosen"
        return "" if row.on_host else f"{row.name} is not on {run.host}"

    def action_prove(self) -> None:
        """Have the host prove every byte of its own; that changes nothing, so one may ask while looking."""
        row, reason = self._row(), self.why_not_here("prove")
        if reason:
            self.notify(reason, title="cannot prove", severity="warning", markup=False)
        elif row is not None:
            self._begin("prove", row)

    def action_pin_there(self) -> None:
        """Pin the chosen one on its host, or leave it to the policy again."""
        run, row = self.chosen(), self._row()
        if not self._refuse("pin_there") and run is not None and row is not None:
            self.bridge.shelves.pin(run.host, run.run_id, row.name, not row.pin, self._changed)

    def action_bring_back(self) -> None:
        """Undo the last retention."""
        run = self.chosen()
        if not self._refuse("bring_back") and run is not None:
            self.bridge.shelves.restore(run.host, run.run_id, self._changed)

    def action_retain(self) -> None:
        """Ask the host for the plan; it is shown before anything goes."""
        run = self.chosen()
        if self._refuse("retain") or run is None:
            return
        self.notify(f"{run.host} is asked what the policy lets go", timeout=2, markup=False)

        def told(answer: RetentionAnswer | CallError) -> None:
            if isinstance(answer, CallError):
                text = answer.in_full
                self.notify(text, severity="error", markup=False)
                self._keep(text, "error")
            elif self.is_mounted and self.is_current and self.target() == (run.host, run.run_id):
                self._show_plan(run, answer)

        self.bridge.shelves.plan(run.host, run.run_id, told)

    def _show_plan(self, run: RunRecord, answer: RetentionAnswer) -> None:
        shelf = self._shelves.get((run.host, run.run_id), CheckpointShelf(self.bridge.now()))

        def answered(yes: bool | None) -> None:
            if yes:
                self.bridge.shelves.retain(run.host, run.run_id, answer.plan, self._let_go)

        self.app.push_screen(RetentionDialog(run.run_id, run.host, answer, shelf.rows), answered)

    def _let_go(self, outcome: object) -> None:
        self._changed(outcome)
        if getattr(outcome, "ok", False):
            self.notify(f"{shown('bring_back')} brings them back", timeout=4)

    def _changed(self, outcome: object) -> None:
        """Say how it went, and look at once how it is now."""
        self.notify_outcome(outcome)
        self._asked = None
        self._heard()
