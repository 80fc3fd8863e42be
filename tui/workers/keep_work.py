"""Runs as things one keeps, from the cockpit: saved, labelled, cloned, put away and brought back, moved."""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from tui.screens.bridge import OnOutcome, OnPutAway, OnWords
from tui.store.kept.put_away import PutAwayRun
from tui.workers.errands import Errands, Post

if TYPE_CHECKING:
    from remote.actions import Outcome
    from remote.session.session import Session

CONNECT_S = 20.0
ARCHIVED_MAX = 200  # a page of the list; `photinus ls --archived` lists all


class KeptActs(Errands):
    """Each says in its words how it is undone."""

    def __init__(self, sessions: Mapping[str, "Session"], post: Post) -> None:
        """`post` runs a function on the screen's thread."""
        super().__init__(post)
        self._sessions = sessions

    def save(self, host: str, run_id: str, on_outcome: OnOutcome) -> None:
        """Have a run save a checkpoint now, and go on."""

        def act() -> "Outcome":
            from remote.actions import Outcome
            from remote.actions.kept.keep import save_run

            saved = save_run(self._sessions[host], run_id)
            return Outcome(True, None, message=f"{run_id} saved {saved.checkpoint or 'one'}, and goes on")

        self._do(act, on_outcome)

    def archive(self, host: str, run_id: str, on_outcome: OnOutcome) -> None:
        """Take a run that is over out of the list; `photinus restore` brings it back."""

        def act() -> "Outcome":
            from remote.actions import Outcome
            from remote.actions.kept.keep import archive_run

            archive_run(self._sessions[host], run_id)
            back = f"photinus restore {run_id} brings it back"
            return Outcome(True, None, message=f"{run_id} is archived: {back}")

        self._do(act, on_outcome)

    def trash(self, host: str, run_id: str, on_outcome: OnOutcome) -> None:
        """Put a run that is over into the trash; `photinus restore` brings it back."""

        def act() -> "Outcome":
            from remote.actions import Outcome
            from remote.actions.kept.keep import trash_run

            trash_run(self._sessions[host], run_id)
            back = f"photinus restore {run_id} brings it back"
            return Outcome(True, None, message=f"{run_id} is in the trash: {back}")

        self._do(act, on_outcome)

    def put_away(self, host: str, on_answer: OnPutAway) -> None:
        """Ask a host what is archived there, or lies in its trash; the newest first."""

        def kept() -> Sequence[PutAwayRun]:
            from remote.actions.kept.keep import list_trash
            from remote.protocol.arguments import RunsArgs
            from remote.protocol.verbs import RUNS
            from remote.protocol.views import RunFilter

            session = self._sessions[host]
            rows = [
                PutAwayRun(one.run_id, one.name, one.state, "trash", one.at) for one in list_trash(session)
            ]
            asked = RunsArgs(finished=ARCHIVED_MAX, only=RunFilter(archived=True))
            rows += [
                PutAwayRun(view.run_id, view.name, view.state, "archive", view.archived)
                for view in session.call(RUNS, asked, timeout=CONNECT_S).runs
            ]
            return sorted(rows, key=lambda row: -row.at)

        self._answer(kept, on_answer)

    def restore(self, host: str, run_id: str, on_outcome: OnOutcome) -> None:
        """Bring a run back into the list, from the archive or the trash."""

        def act() -> "Outcome":
            from remote.actions import Outcome
            from remote.actions.kept.keep import restore_run

            return Outcome(
                True, None, message=f"{run_id} is back: {restore_run(self._sessions[host], run_id).state}"
            )

        self._do(act, on_outcome)

    def label(
        self,
        host: str,
        run_id: str,
        on_outcome: OnOutcome,
        *,
        name: str | None = None,
        note: str | None = None,
        add: Sequence[str] = (),
        remove: Sequence[str] = (),
    ) -> None:
        """Change the words about a run; None leaves as they are, an empty text takes away."""

        def act() -> "Outcome":
            from remote.actions import Outcome
            from remote.actions.kept.keep import label_run

            view = label_run(self._sessions[host], run_id, name=name, note=note, add=add, remove=remove)
            tags = f", tags: {' '.join(view.tags)}" if view.tags else ", no tag"
            said = f", note: {view.note}" if view.note else ""
            return Outcome(True, view, message=f"{run_id} is called {view.name}{tags}{said}")

        self._do(act, on_outcome)

    def clone(self, host: str, run_id: str, changes: Sequence[str], on_outcome: OnOutcome) -> None:
        """Start a run like another one, with `KEY=VALUE` on top; it waits where the device is taken."""

        def act() -> "Outcome":
            from remote.actions import Outcome
            from remote.actions.kept.begin_like import begin_like, other_device
            from remote.protocol.arguments import RunArgs
            from remote.protocol.verbs import RUN
            from trainer.config.resolve import parse_overrides

            session, values = self._sessions[host], parse_overrides(list(changes))
            like = session.call(RUN, RunArgs(run_id=run_id))
            devices = session.wait_connected(CONNECT_S).devices
            device = other_device("", values, like.spec, devices)
            new = begin_like(session, like, values, device=device, queue=True)
            return Outcome(not new.has_failed, new, message=f"{new.run_id} is {new.state}, like {run_id}")

        self._do(act, on_outcome)

    def move_run(self, host: str, run_id: str, to: str, on_words: OnWords, on_outcome: OnOutcome) -> None:
        """Stop a run, copy it to another host, and resume it there; it waits where the device is taken."""

        def act() -> "Outcome":
            from remote.actions import Outcome
            from remote.actions.kept.move_run import move_run
            from remote.protocol.arguments import RunArgs
            from remote.protocol.verbs import RUN
            from remote.transfer.trees.copy_run import copy_run
            from trainer.config.data_source import text_change

            origin, target = self._sessions[host], self._sessions[to]
            run = origin.call(RUN, RunArgs(run_id=run_id))
            words = f"{run_id} is over on {host}, and is copied to {to}"
            moved = move_run(
                origin,
                target,
                run,
                lambda by: copy_run(origin, target, run_id, by),
                changes=text_change(run.spec),
                resume_argv=bool(run.spec.get("resume_argv")),
                queue=True,
                on_stopped=lambda _run: self._post(lambda: on_words(words)),
            )
            return Outcome(
                True, moved.run, message=f"{run_id} went from {host} to {to}, and is {moved.run.state}"
            )

        self._do(act, on_outcome)
