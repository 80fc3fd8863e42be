"""The acts of the cockpit: each on a thread of its own, its outcome told on the screen's thread."""

import threading
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from remote.protocol.errors import CallError, Question
from tui.screens.bridge import OnDetails, OnLine, OnOutcome, OnPiece, OnProcesses
from tui.workers.errands import Post
from tui.workers.keep_work import KeptActs

if TYPE_CHECKING:
    from remote.actions import Outcome, StartRequest
    from remote.protocol.keeping import WaitingLine
    from remote.protocol.results import Backfill, ProcessList
    from remote.protocol.views import RunDetails
    from remote.session.session import Session


class SessionActs(KeptActs):
    """Acts on the hosts of these sessions. A lost host refuses at once; nothing is ever queued here."""

    def __init__(self, sessions: Mapping[str, "Session"], post: Post) -> None:
        """`post` runs a function on the screen's thread."""
        super().__init__(sessions, post)

    def hosts(self) -> Sequence[str]:
        """The names of all hosts."""
        return tuple(self._sessions)

    def start(self, host: str, request: "StartRequest", on_outcome: OnOutcome) -> None:
        """Start a run; what goes along with it goes first."""
        from remote.actions import start_run
        from tui.workers.bring_along import bring_along

        session = self._sessions[host]
        self._do(lambda: start_run(session, bring_along(session, request)), on_outcome)

    def resume(self, host: str, run_id: str, on_outcome: OnOutcome) -> None:
        """Resume a run from its newest whole checkpoint."""
        from remote.actions import resume_run

        self._do(lambda: resume_run(self._sessions[host], run_id), on_outcome)

    def resume_from(self, host: str, run_id: str, checkpoint: str, on_outcome: OnOutcome) -> None:
        """Resume a run from one of its checkpoints."""
        from remote.actions import resume_run

        self._do(lambda: resume_run(self._sessions[host], run_id, from_checkpoint=checkpoint), on_outcome)

    def stop(self, host: str, run_id: str, on_outcome: OnOutcome) -> None:
        """Ask a run to save and end; its new state comes as an update."""
        from remote.actions import stop_run

        self._do(lambda: stop_run(self._sessions[host], run_id, wait=False), on_outcome)

    def kill(self, host: str, run_id: str, on_outcome: OnOutcome) -> None:
        """End a run now; its new state comes as an update."""
        from remote.actions import kill_run

        self._do(lambda: kill_run(self._sessions[host], run_id, wait=False), on_outcome)

    def reap(self, host: str, run_id: str, pid: int, start: int, on_outcome: OnOutcome) -> None:
        """End one process that its run left behind: the host looks again whether it is still that one."""

        def act() -> "Outcome":
            from remote.actions.adopt_reap import reap

            return reap(self._sessions[host], run_id, pid, start)

        self._do(act, on_outcome)

    def end(self, host: str, pid: int, start: int, on_outcome: OnOutcome) -> None:
        """End one process of one's own that is no run: the host looks again whether it is still that one."""

        def act() -> "Outcome":
            from remote.actions.adopt_reap import end_process

            return end_process(self._sessions[host], pid, start)

        self._do(act, on_outcome)

    def reply(self, host: str, question: Question, text: str) -> None:
        """Hand on what the operator answered; the link is tried again."""
        self._sessions[host].answer(question, text)

    def processes(self, host: str, on_answer: OnProcesses) -> None:
        """Ask a host for its processes and locks."""

        def processes() -> "ProcessList":
            from remote.protocol.arguments import NoArgs
            from remote.protocol.verbs import PROCESSES

            return self._sessions[host].call(PROCESSES, NoArgs())

        self._answer(processes, on_answer)

    def queue(self, host: str, on_line: OnLine) -> None:
        """Ask a host who waits."""

        def line() -> "WaitingLine":
            from remote.actions.kept.keep import ask
            from remote.protocol.arguments import NoArgs
            from remote.protocol.verbs import QUEUE

            return ask(self._sessions[host], QUEUE, NoArgs())

        self._answer(line, on_line)

    def change_queue(
        self,
        host: str,
        run_id: str,
        on_line: OnLine,
        *,
        place: int | None = None,
        held: bool | None = None,
        after: str | None = None,
    ) -> None:
        """Give a run that waits another place, hold it or let it go, or have it wait for another run."""

        def line() -> "WaitingLine":
            from remote.actions.kept.keep import change_line

            return change_line(self._sessions[host], run_id, place=place, held=held, after=after)

        self._answer(line, on_line)

    def details(self, host: str, run_id: str, on_answer: OnDetails) -> None:
        """Ask a host for all that it knows of a run."""

        def details() -> "RunDetails":
            from remote.protocol.arguments import RunArgs
            from remote.protocol.verbs import RUN

            return self._sessions[host].call(RUN, RunArgs(run_id=run_id))

        self._answer(details, on_answer)

    def older(self, host: str, run_id: str, file: str, before: int, on_piece: OnPiece) -> None:
        """Ask for what stands before a place in a run's log."""

        def work() -> None:
            from remote.session.streams.backfill import read_older

            try:
                session = self._sessions[host]
                files = session.watched.runs.get(run_id) if session.watched is not None else None
                path, what = ("", "log") if files is None else (files.log, "watch")
                piece: Backfill | CallError = read_older(
                    session, file, before, run_id=run_id, what=what, path=path
                )
            except CallError as error:
                piece = error
            self._post(lambda: on_piece(piece))

        threading.Thread(target=work, name="photinus-older", daemon=True).start()

    def reconnect(self, host: str) -> None:
        """Try the link now."""
        self._sessions[host].reconnect_now()
