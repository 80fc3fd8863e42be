"""The keys of the Checkpoints screen: pull, prove, save, branch, resume from one."""

import shlex

from remote.actions.describe import describe_resume
from tui.keys import shown
from tui.screens.dialogs.confirm import Confirm
from tui.screens.run_actions import RunActions
from tui.screens.sheets import sheet_of
from tui.store.facts import why_not as why_no_link
from tui.store.kept.shelf import CheckpointShelf, ShelfRow, Transfer, TransferKind
from tui.store.store import RunKey
from tui.widgets.keyed_table import KeyedTable


class CheckpointKeys(RunActions):
    """What the keys do; the screen itself says what is shown."""

    def __init__(self) -> None:
        super().__init__()
        self._key: RunKey | None = None
        self._shelves: dict[RunKey, CheckpointShelf] = {}
        self._asked: tuple[RunKey, int | None, float] | None = None
        self._transfers: dict[RunKey, Transfer] = {}

    @property
    def table(self) -> KeyedTable:
        """The checkpoints."""
        return self.query_one("#checkpoints", KeyedTable)

    def target(self) -> RunKey | None:
        """The run whose checkpoints these are."""
        return self._key

    def _heard(self) -> None:
        if self.is_mounted and self.is_current:
            self.call_after_refresh(self.paint)

    def _row(self) -> ShelfRow | None:
        """The checkpoint under the cursor."""
        shelf = self._shelves.get(self._key) if self._key is not None else None
        chosen = self.table.chosen
        return next((row for row in shelf.rows if row.name == chosen), None) if shelf is not None else None

    def why_not_here(self, action: str) -> str:
        """Why the chosen checkpoint or its run cannot be acted on."""
        run, row = self.chosen(), self._row()
        if run is None:
            return "no run is chosen"
        if action not in ("save", "branch", "resume"):
            return super().why_not_here(action)
        if reason := why_no_link(self.bridge.store.host_of(run)):
            return reason
        if action == "save":
            return self._why_not_of("save", run)
        if row is None:
            return "no checkpoint is chosen"
        if not row.is_readable:
            return f"{row.name} is not on {run.host}" if not row.on_host else f"{row.name}: {row.why}"
        if action == "resume":
            return self._why_not_of("resume", run)
        return ""

    def action_pull(self) -> None:
        """Fetch the chosen checkpoint."""
        row = self._row()
        if row is not None and not row.on_host:
            self.notify(f"{row.name} is not on its host any more: the copy here is all there is", timeout=3)
        elif row is not None:
            self._begin("pull", row)

    def action_verify(self) -> None:
        """Prove every byte of the copy on this machine."""
        row = self._row()
        if row is not None and row.here != "whole":
            self.notify(
                f"{row.name} is not on this machine: {shown('pull')} pulls it, and proves it while it comes"
            )
        elif row is not None:
            self._begin("verify", row)

    def _begin(self, kind: TransferKind, row: ShelfRow) -> None:
        """Begin one piece of work on this run's checkpoints, unless another one goes on."""
        run = self.chosen()
        if run is None:
            return
        key = (run.host, run.run_id)
        before = self._transfers.get(key)
        if before is not None and before.ended is None:
            way = f": {shown('drop')} ends it" if before.kind == "pull" else ""
            self.notify(f"{before.name} is still at work{way}", severity="warning", markup=False)
            return
        transfer = Transfer(kind, *key, row.name, self.bridge.now())
        self._transfers[key] = transfer

        def ended() -> None:
            severity = "information" if transfer.ok else "error"
            self.app.notify(transfer.message, severity=severity, markup=False)  # type: ignore[arg-type]
            if not transfer.ok:
                self._keep(transfer.message, "error")
            self._asked = None
            self._heard()

        work = self.bridge.shelves
        {"pull": work.pull, "verify": work.verify, "prove": work.prove}[kind](transfer, ended)
        self.paint()

    def action_drop(self) -> None:
        """End the pull that goes on; what came stays for the next."""
        transfer = self._transfers.get(self._key) if self._key is not None else None
        if transfer is None or transfer.ended is not None or transfer.kind != "pull":
            self.notify("nothing is being pulled", timeout=2)
        else:
            transfer.is_dropped = True
            self.notify(f"ending the pull of {transfer.name}: what came stays", timeout=3)

    def action_save(self) -> None:
        """Have the run save a checkpoint now, and go on."""
        run = self.chosen()
        if self._refuse("save") or run is None:
            return
        self.notify(f"{run.run_id} saves after the step in hand", markup=False)

        def told(outcome: object) -> None:
            self.notify_outcome(outcome)
            self._asked = None
            self._heard()

        self.bridge.acts.save(run.host, run.run_id, told)

    def action_resume(self) -> None:
        """Ask whether to go on from the chosen checkpoint."""
        run, row = self.chosen(), self._row()
        if self._refuse("resume") or run is None or row is None:
            return
        text = describe_resume(run.view, run.host)
        last = run.view.last_checkpoint
        if last is not None and last.name != row.name:
            head = f"Resume {run.run_id} on {run.host} from {row.name}?"
            lost = f"Its newest is {last.name}: what came after {row.name} is superseded, and not removed."
            text = "\n".join((head, lost, f"It takes {run.view.device}."))

        def answered(yes: bool | None) -> None:
            if yes:
                self.bridge.acts.resume_from(run.host, run.run_id, row.name, self.notify_outcome)

        self.app.push_screen(Confirm("resume", text), answered)

    def action_branch(self) -> None:
        """The start form, with the chosen checkpoint as where the new run begins."""
        run, row = self.chosen(), self._row()
        if self._refuse("branch") or run is None or row is None:
            return
        values = sheet_of(self.bridge, run, self._heard).values or ()
        kept = [f"{one.key}={one.text}" for one in values if one.is_chosen and one.key != "device"]
        self._start_form(
            {run.host: self.bridge.store.host_of(run).devices},
            run.host,
            parent=f"{run.run_id}/{row.name}",
            preset=run.view.preset,
            overrides=" ".join(map(shlex.quote, kept)),
        )
