"""Work on hosts themselves, each piece on a thread of its own: add, test, deploy, doctor."""

import threading
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING

from remote.hosts.host import Host
from remote.protocol.errors import CallError, QuestionError
from trainer.user_error import UserError
from tui.store.jobs import HostJob, finding_lines, findings

if TYPE_CHECKING:
    from remote.session.session import Session
    from remote.transport.base import Answers

Post = Callable[[Callable[[], None]], None]
DOCTOR_S = 60.0
DEPLOY_DIAL_S = 15.0


class HostWork:
    """Calls what `photinus hosts ...` calls. Nothing here blocks; lines come on the screen's thread."""

    def __init__(self, sessions: Mapping[str, "Session"], post: Post, clock: Callable[[], float]) -> None:
        """`post` runs a function on the screen's thread; `clock` is monotonic seconds."""
        self._sessions, self._post, self._clock = sessions, post, clock

    def add(self, host: Host, on_done: Callable[[Host | str], None]) -> None:
        """Write a host into hosts.yaml; `on_done` gets it back, or why it was not written."""

        def work() -> None:
            from remote.hosts.hosts_edit import add_hosts

            result: Host | str = host
            try:
                add_hosts([host])
            except UserError as error:
                result = error.in_full
            except OSError as error:
                result = str(error)
            self._post(lambda: on_done(result))

        self._begin(work)

    def test(self, job: HostJob) -> None:
        """Walk the way to the host, a line a step."""

        def work() -> tuple[bool, str]:
            from remote.actions.connectivity import Step, check_connectivity

            def walked(step: Step) -> None:
                self._post(lambda: job.step(step.ok, step.name, step.said, step.remedy, step.ms))

            report = check_connectivity(self._host(job), walked, _unanswered, self._answers(job))
            failure = report.failure
            return failure is None, f"{failure.name} failed" if failure else "the host can be used"

        self._run(job, work)

    def deploy(self, job: HostJob) -> None:
        """Bring Photinus to the host, a line of progress at a time; then its new agent is dialled."""

        def work() -> tuple[bool, str]:
            from remote.deploy.deploy import deploy
            from remote.transport.base import ConnectAttempt

            def say(text: str) -> None:
                self._post(lambda: job.say(text))

            dial = ConnectAttempt(DEPLOY_DIAL_S, answers=self._answers(job))
            placement = deploy(self._host(job), dial, say)
            self._sessions[job.host].redial()
            return True, f"photinus {placement.version} is on {job.host}"

        self._run(job, work)

    def doctor(self, job: HostJob) -> None:
        """What the host's own doctor finds, in words."""

        def work() -> tuple[bool, str]:
            from remote.actions.diagnose import at
            from remote.protocol.arguments import DoctorArgs
            from remote.protocol.verbs import DOCTOR

            found = findings(self._sessions[job.host].call(DOCTOR, DoctorArgs(), DOCTOR_S))
            lines = [line for one in found for line in finding_lines(at(self._host(job), one))]

            def say() -> None:
                for line in lines:
                    job.say(line)

            self._post(say)
            bad = sum(one.level != "note" for one in found)
            return not bad, f"{bad} finding{'' if bad == 1 else 's'}" if bad else "nothing is wrong"

        self._run(job, work)

    def _host(self, job: HostJob) -> Host:
        return self._sessions[job.host].host

    def _answers(self, job: HostJob) -> "Answers":
        return self._sessions[job.host].answers

    def _run(self, job: HostJob, work: Callable[[], tuple[bool, str]]) -> None:
        def run() -> None:
            try:
                ok, message = work()
            except UserError as error:
                ok, message = False, error.in_full
            except (OSError, NotImplementedError) as error:
                ok, message = False, str(error) or type(error).__name__
            except Exception as error:  # a fault of ours must not leave the job at work for ever
                ok, message = False, f"a fault of Photinus: {error!r}"
            self._post(lambda: job.end(ok, message, self._clock()))

        self._begin(run)

    def _begin(self, work: Callable[[], None]) -> None:
        threading.Thread(target=work, name="photinus-host", daemon=True).start()


def _unanswered(error: QuestionError) -> str:
    """A question is answered in its own dialog; the link asks the same one."""
    raise CallError(error.code, error.message, "press ! to answer, then test again")
