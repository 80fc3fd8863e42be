"""Screens that show runs: start, resume, stop and kill, on the run that is chosen."""

from typing import Any

from remote.actions.describe import why_only_watched
from remote.protocol.views import RunView
from tui.screens.base import CockpitScreen
from tui.screens.dialogs.confirm import Confirm, describe, describe_many
from tui.store.facts import why_not as why_no_link
from tui.store.runs import RunRecord
from tui.store.store import RunKey

MANY = ("stop", "kill")
MANY_MAX = 50  # a dialog shows every one of them


class RunActions(CockpitScreen):
    """What the keys that act on a run do: the target is captured when a dialog opens."""

    def why_not_here(self, action: str) -> str:
        """Why an action on the chosen run is not possible now."""
        store = self.bridge.store
        if action == "start":
            reasons = [why_no_link(host) for host in store.hosts.values()]
            return "" if any(not reason for reason in reasons) else next(iter(reasons), "no host is known")
        runs = self._targets()
        if action in MANY and len(runs) > 1:
            return self._why_none(action, runs)
        run = self.chosen()
        if run is None:
            return "no run is chosen"
        return why_no_link(store.host_of(run)) or _why_not_in_state(action, run)

    def action_start(self) -> None:
        """The start form."""
        if not self._refuse("start"):
            self._open_form()

    def _open_form(self, again: Any = None, fault: str = "") -> None:
        """The start form; after a refusal with what was typed, and with why it was refused."""
        from tui.screens.dialogs.start import StartForm  # the schema is read when the form is first needed

        store = self.bridge.store
        ready = {name: host.devices for name, host in store.hosts.items() if host.link.is_up}
        if not ready:
            return  # the link went meanwhile: the refusal stands in the list of alerts
        live = [run for run in store.runs.values() if run.view.is_live and run.view.state != "queued"]
        busy = {(run.host, device): run.run_id for run in live for device in run.view.device.split(",")}
        form = StartForm(
            ready, again.host if again else self.chosen_host(), busy=busy, again=again, fault=fault
        )

        def started(outcome: Any) -> None:
            self.notify_outcome(outcome)
            if outcome.ok and outcome.run is not None:
                self.bridge.open_when_known(outcome.run.run_id)
            elif not outcome.ok and isinstance(self.app.screen, CockpitScreen):
                self._open_form(form.typed, f"{outcome.message}. {outcome.remedy}".rstrip(". ") + ".")

        def sent(answer: Any) -> None:
            if answer is not None:
                host, request = answer
                self.bridge.acts.start(host, request, started)

        self.app.push_screen(form, sent)

    def action_resume(self) -> None:
        """Resume the chosen run."""
        run = self.chosen()
        if not self._refuse("resume") and run is not None:
            self.notify(f"resuming {run.run_id}", markup=False)
            self.bridge.acts.resume(run.host, run.run_id, self.notify_outcome)

    def action_stop(self) -> None:
        """Ask whether to stop the chosen run."""
        self._ask("stop")

    def action_kill(self) -> None:
        """Ask whether to kill the chosen run."""
        self._ask("kill")

    def marked(self) -> list[RunKey]:
        """The runs that are marked, where a screen has marks."""
        return []

    def _targets(self) -> list[RunRecord]:
        """What `x` and `K` act on: the marked runs, else the chosen one."""
        keys = self.marked()
        found = (self.bridge.store.run_of(key) for key in keys) if keys else (self.chosen(),)
        return [run for run in found if run is not None]

    def _why_not_one(self, action: str, run: RunRecord) -> str:
        return why_no_link(self.bridge.store.host_of(run)) or _why_not_in_state(action, run)

    def _why_none(self, action: str, runs: list[RunRecord]) -> str:
        """Why none of several runs can be acted on; empty where one can."""
        if len(runs) > MANY_MAX:
            return f"{len(runs)} runs are marked: at most {MANY_MAX} at once, so that the dialog shows each"
        reasons = [self._why_not_one(action, run) for run in runs]
        return "" if not all(reasons) else f"none of the {len(runs)} marked runs: {reasons[0]}"

    def _ask(self, action: str) -> None:
        """Capture the targets, show them, and do it if the same key comes again."""
        runs = self._targets()
        if self._refuse(action) or not runs:
            return
        if self.marked():
            self._ask_of_many(action, runs)
            return
        run = runs[0]
        host, view = run.host, run.view
        policy = self.bridge.store.host_of(run).confirm

        def answered(yes: bool | None) -> None:
            if yes:
                self._act(action, host, view)

        if policy == "none":
            answered(True)
            return
        text = describe(action, view, host, run.step)
        self.app.push_screen(Confirm(action, text, view.name if policy == "name" else ""), answered)

    def _ask_of_many(self, action: str, runs: list[RunRecord]) -> None:
        """One dialog for all that are marked; it names each, and which are left alone and why."""
        ready, left = list[tuple[str, RunView]](), list[str]()
        for run in runs:
            needs_name = self.bridge.store.host_of(run).confirm == "name"
            reason = "its host wants the name typed" if needs_name else self._why_not_one(action, run)
            if reason:
                left.append(f"{run.run_id} on {run.host} is left alone: {reason}")
            else:
                ready.append((run.host, run.view))
        if not ready:
            self.notify("\n".join(left[:4]), title=f"cannot {action}", severity="warning", markup=False)
            return

        def answered(yes: bool | None) -> None:
            for host, view in ready if yes else ():
                self._act(action, host, view)

        self.app.push_screen(Confirm(action, describe_many(action, ready, left)), answered)

    def _act(self, action: str, host: str, view: RunView) -> None:
        """Do it to the run that was shown, if it is still that one."""
        now = self.bridge.store.run_of((host, view.run_id))
        if now is None or now.view.attempt != view.attempt:
            changed = f"{view.run_id} has changed since you looked: nothing was done"
            self.notify(changed, severity="warning", markup=False)
            return
        act = self.bridge.acts.stop if action == "stop" else self.bridge.acts.kill
        act(host, view.run_id, self.notify_outcome)


def _why_not_in_state(action: str, run: RunRecord) -> str:
    """Why the run's state does not allow it."""
    view = run.view
    if view.is_watched:
        return why_only_watched(view.run_id)
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
