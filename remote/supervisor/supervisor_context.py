"""What a supervisor holds while it stands by its run."""

from collections.abc import Callable
from dataclasses import dataclass, field

from remote.supervisor.log import Log, log
from remote.supervisor.requests import ControlInbox
from remote.supervisor.state_writer import StateWriter
from remote.supervisor.timeouts import SupervisorTimeouts
from trainer.run.home import Home
from trainer.run.layout import RunDir
from trainer.run.locks import Flock
from trainer.run.process.identity import Identity, identify_for_good
from trainer.run.records import ExitRecord, read_exit
from trainer.run.run_errors import RunError
from trainer.run.spec import RunSpec


@dataclass(frozen=True, slots=True, kw_only=True)
class SupervisedJob:
    """What the agent asked for. `umask` is what the trainer gets; `locks` are held for life."""

    home: Home
    run: RunDir
    attempt: int
    locks: dict[str, Flock]
    adopt: bool = False
    resume_from: str = ""
    umask: int = 0o022
    timeouts: SupervisorTimeouts = field(default_factory=SupervisorTimeouts)


@dataclass(frozen=True, slots=True, kw_only=True)
class SupervisorContext:
    """The job, the run's spec, and the tools: journal out, desk in."""

    job: SupervisedJob
    spec: RunSpec
    writer: StateWriter
    inbox: ControlInbox
    me: Identity
    log: Log = log

    @property
    def run(self) -> RunDir:
        """The run's folder."""
        return self.job.run

    @property
    def timeouts(self) -> SupervisorTimeouts:
        """The waiting times."""
        return self.job.timeouts

    def write_later(self, what: str, write: Callable[[], None]) -> None:
        """Write now, or when there is space again."""
        self.writer.write_later(what, write)


def last_word(ctx: SupervisorContext) -> ExitRecord | None:
    """The trainer's last word in the latest attempt; an unreadable one is told, and counts as none."""
    try:
        return read_exit(ctx.run, *ctx.inbox.latest)
    except RunError as error:
        ctx.log(f"its last word cannot be read: {error}")
        return None


def myself(pid: int) -> Identity:
    """This process's identity.

    Raises:
        RunError: the kernel does not show it.
    """
    found = identify_for_good(pid)
    if found is None:
        raise RunError("cannot read this process's own identity (is /proc mounted?)")
    return found
