"""Screens that show runs: start, resume, stop and kill, on the run that is chosen."""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from remote.actions.describe import why_only_watched
from remote.protocol.views import RunView
from tui.screens.base import CockpitScreen
from tui.screens.dialogs.confirm import Confirm, describe
from tui.screens.dialogs.several import Tally, describe_several
from tui.screens.sheets import sheet_of
from tui.store.facts import why_not as why_no_link
from tui.store.runs import RunRecord
from tui.store.store import RunKey

if TYPE_CHECKING:
    from remote.actions import Outcome


IN_ANY_STATE = frozenset({"clone", "move_run", "rename", "tag", "note"})


class RunActions(CockpitScreen):
    """What the keys that act on a run do: the target is captured when a dialog opens."""

    def why_not_here(self, action: str) -> str:
        """Why an action on the chosen run is not possible now."""
        store = self.bridge.store
        if action == "start":
            reasons = [why_no_link(host) for host in store.hosts.values()]
            return "" if any(not reason for reason in reasons) else next(iter(reasons), "no host is known")
        runs = [run for key in self.targets() if (run := store.run_of(key)) is not None]
        if not runs:
            return "no run is chosen"
        reasons = [self._why_not_of(action, run) for run in runs]
        return "" if "" in reasons else reasons[0]

    def _why_not_of(self, action: str, run: RunRecord) -> str:
        return why_no_link(self.bridge.store.host_of(run)) or _why_not_in_state(action, run)

    def targets(self) -> tuple[RunKey, ...]:
        """The runs that acts are done to."""
        target = self.target()
        return (target,) if target is not None else ()

    def action_config(self) -> None:
        """What the chosen run was started with, and where each value came from."""
        run = self.chosen()
        if run is None:
            self.notify("no run is chosen", timeout=2)
            return
        from tui.screens.dialogs.config_page import ConfigPage

        title = f"{run.name} ({run.run_id}) on {run.host}"
        self.app.push_screen(ConfigPage(title, lambda: sheet_of(self.bridge, run, lambda: None)))

    def action_start(self) -> None:
        """The start form."""
        self.start_with("")

    def start_with(self, preset: str) -> None:
        """The start form with this preset in it."""
        if not self._refuse("start"):
            hosts = self.bridge.store.hosts.items()
            self._start_form(
                {name: host.devices for name, host in hosts if host.link.is_up},
                self.chosen_host(),
                preset=preset,
            )

    def _start_form(
        self,
        hosts: Mapping[str, tuple[str, ...]],
        host: str | None,
        *,
        parent: str = "",
        preset: str = "",
        overrides: str = "",
    ) -> None:
        """The start form on these hosts and their devices; with what is in it already."""
        from tui.screens.dialogs.start import StartForm  # the schema is read when the form is first needed

        def send(host: str, request: Any, told: Any) -> None:
            def both(outcome: Any) -> None:
                if outcome.ok or self.app.screen is not form:
                    self._started(outcome)
                told(outcome)

            self.bridge.acts.start(host, request, both)

        form = StartForm(hosts, host, send, parent=parent, preset=preset, overrides=overrides)
        self.app.push_screen(form)

    def _started(self, outcome: Any) -> None:
        self.notify_outcome(outcome)
        if outcome.ok and outcome.run is not None:
            self.bridge.open_when_known(outcome.run.run_id)

    def action_resume(self) -> None:
        """Resume the chosen run; of several, after a question."""
        if len(self.targets()) > 1:
            self._ask("resume")
        elif not self._refuse("resume"):
            for host, run_id in self.targets():
                self.notify(f"resuming {run_id}", markup=False)
                self.bridge.acts.resume(host, run_id, self.notify_outcome)

    def action_save(self) -> None:
        """Have the chosen runs save a checkpoint now, and go on."""
        if self._refuse("save"):
            return
        store = self.bridge.store
        chosen = [run for key in self.targets() if (run := store.run_of(key)) is not None]
        runs = [run for run in chosen if not self._why_not_of("save", run)]
        told = self.notify_outcome if len(runs) == 1 else Tally("save", len(runs), self.notify_outcome).take
        for run in runs:
            self.notify(f"{run.run_id} saves after the step in hand", markup=False)
            self.bridge.acts.save(run.host, run.run_id, told)

    def action_stop(self) -> None:
        """Ask whether to stop what is chosen."""
        self._ask("stop")

    def action_kill(self) -> None:
        """Ask whether to kill what is chosen."""
        self._ask("kill")

    def action_archive(self) -> None:
        """Ask whether to archive what is chosen."""
        self._ask("archive")

    def action_trash(self) -> None:
        """Ask whether to put what is chosen into the trash."""
        self._ask("trash")

    def _ask(self, action: str) -> None:
        """Capture the targets, show each, and do it if the same key comes again."""
        store = self.bridge.store
        chosen = [run for key in self.targets() if (run := store.run_of(key)) is not None]
        if self._refuse(action) or not chosen:
            return
        left = {run.run_id: why for run in chosen if (why := self._why_not_of(action, run))}
        runs = [run for run in chosen if not self._why_not_of(action, run)]
        views = [(run.host, run.view) for run in runs]
        policies = {store.host_of(run).confirm for run in runs}

        def answered(yes: bool | None) -> None:
            if yes:
                self._do_all(action, views)

        if policies == {"none"} and len(chosen) == 1:
            answered(True)
            return
        if len(chosen) == 1 and action in ("stop", "kill"):
            text, name, what = (
                describe(action, runs[0].view, runs[0].host, runs[0].step),
                runs[0].view.name,
                "",
            )
        else:
            text, name, what = describe_several(action, runs, left), str(len(runs)), "number"
        self.app.push_screen(Confirm(action, text, name if "name" in policies else "", what), answered)

    def _do_all(self, action: str, views: Sequence[tuple[str, RunView]]) -> None:
        """Do it to each that is still what was shown; of several, one message says how it went."""
        acts = self.bridge.acts
        act = {
            "stop": acts.stop, "kill": acts.kill, "resume": acts.resume, "archive": acts.archive,
            "trash": acts.trash,
        }[action]  # fmt: skip
        told = self.notify_outcome if len(views) == 1 else Tally(action, len(views), self.notify_outcome).take
        for host, view in views:
            now = self.bridge.store.run_of((host, view.run_id))
            if now is not None and now.view.attempt == view.attempt:
                act(host, view.run_id, told)
            else:
                told(_changed(view))


def preset_names() -> list[str]:
    """The presets that ship, by name."""
    from trainer.config.locate import configs_dir

    return sorted(path.stem for path in (configs_dir() / "presets").glob("*.yaml"))


def _changed(view: RunView) -> "Outcome":
    from remote.actions import Outcome

    return Outcome(False, None, "refused", f"{view.run_id} has changed since you looked: nothing was done")


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
    if action in ("archive", "trash"):
        return (
            "" if view.is_terminal else f"{view.run_id} is {view.state}: only a run that is over is put away"
        )
    if action in IN_ANY_STATE:
        return ""
    if action == "save" and (view.state != "running" or run.is_command):
        what = "a command" if run.is_command else view.state
        return f"{view.run_id} is {what}: only a run of ours that goes on saves"
    if view.is_terminal:
        return f"{view.run_id} is over ({view.state})"
    return ""
