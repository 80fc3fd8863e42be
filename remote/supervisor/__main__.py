"""`python -P -m remote.supervisor`: started by an agent with the run's locks on its descriptors."""

import argparse
import os
import signal
import sys
from collections.abc import Sequence
from pathlib import Path

from remote.supervisor.admission.spawn import RUN_LOCK
from remote.supervisor.lifecycle import supervise
from remote.supervisor.log import log
from remote.supervisor.process.end_command import call_end_command
from remote.supervisor.requests import ControlInbox
from remote.supervisor.state_writer import StateWriter
from remote.supervisor.supervisor_context import SupervisedJob, SupervisorContext, myself
from remote.supervisor.timeouts import SupervisorTimeouts
from trainer.run.home import Home, open_home
from trainer.run.layout import RunDir, check_device, check_run_id
from trainer.run.locks import Flock
from trainer.run.records import read_spec
from trainer.run.run_errors import RunError, SpecError


def main(argv: Sequence[str] | None = None) -> int:
    """Take the locks over, supervise to the end, start the next in line, call what the run names for its end.

    1 if the run cannot be held.
    """
    try:
        job = parse(sys.argv[1:] if argv is None else argv)
        ctx = take_post(job)
        supervise(ctx)
    except (RunError, OSError) as error:
        log(f"supervisor gives up: {error}")
        return 1
    start_next_in_line(job.home)
    call_end_command(ctx.spec, ctx.run, ctx.writer.record, ctx.timeouts.on_end_s, log)
    return 0


def parse(argv: Sequence[str]) -> SupervisedJob:
    """The job as given by `spawn_supervisor`.

    Raises:
        SpecError: a malformed lock table.
        LockHeldError: a lock was not handed over.
        HomeError: the state root is not safe.
    """
    parser = argparse.ArgumentParser(prog="python -m remote.supervisor", description=__doc__)
    parser.add_argument("--run-dir", type=Path, required=True)
    parser.add_argument("--home", type=Path, required=True)
    parser.add_argument("--attempt", type=int, required=True)
    parser.add_argument("--lock-fds", required=True, help="run=5,cpu=6: descriptors that hold the locks")
    parser.add_argument("--adopt", action="store_true")
    parser.add_argument("--from", dest="resume_from", default="", help="checkpoint to continue from")
    args = parser.parse_args(argv)
    home = open_home(args.home)
    run = home.run(check_run_id(args.run_dir.name))
    return SupervisedJob(
        home=home,
        run=run,
        attempt=args.attempt,
        locks=inherited_locks(home, run, args.lock_fds),
        adopt=args.adopt,
        resume_from=args.resume_from,
        umask=os.umask(0o077),
        timeouts=SupervisorTimeouts.from_env(),
    )


def inherited_locks(home: Home, run: RunDir, text: str) -> dict[str, Flock]:
    """Own every descriptor of `run=5,cpu=6`; they are closed on exec, so that no trainer inherits them.

    Raises:
        SpecError: the text is malformed or names no run lock.
        LockHeldError: a descriptor holds no lock.
    """
    locks = {}
    for pair in text.split(","):
        name, _, number = pair.partition("=")
        if not number.isdigit():
            raise SpecError(f"malformed lock table: {text!r}")
        path = run.lock if name == RUN_LOCK else home.devices_dir / f"{check_device(name)}.lock"
        locks[name] = Flock.adopt(path, int(number))
    if RUN_LOCK not in locks:
        raise SpecError(f"the run's own lock was not handed over: {text!r}")
    return locks


def take_post(job: SupervisedJob) -> SupervisorContext:
    """Read the run, and listen for signals.

    Raises:
        RunError: there is no such run, or its files are malformed.
    """
    spec = read_spec(job.run)
    writer = StateWriter(job.run, job.attempt, log)
    ctx = SupervisorContext(
        job=job, spec=spec, writer=writer, inbox=ControlInbox(job.run, log), me=myself(os.getpid())
    )
    listen(ctx)
    return ctx


def listen(ctx: SupervisorContext) -> None:
    """SIGTERM and SIGINT ask for a graceful stop. Handlers, never SIG_IGN: that the trainer would inherit, as
    it would a SIGINT that a background shell ignores."""
    for signum in (signal.SIGTERM, signal.SIGINT):
        signal.signal(
            signum, lambda number, _: ctx.inbox.stop(f"supervisor got {signal.Signals(number).name}")
        )
    signal.signal(signal.SIGHUP, lambda *_: None)
    for signum in (signal.SIGQUIT, signal.SIGUSR1, signal.SIGUSR2, signal.SIGTSTP, signal.SIGCHLD):
        signal.signal(signum, signal.SIG_DFL)
    signal.pthread_sigmask(signal.SIG_SETMASK, [])


def start_next_in_line(home: Home) -> None:
    """Start the head of the queue. Whatever goes wrong there is no fault of the run that just ended; the next
    agent contact tries again."""
    try:
        from remote.supervisor.admission.queue import start_next

        start_next(home)
    except Exception as error:
        log(f"the head of the queue was not started: {error!r}")


if __name__ == "__main__":
    sys.exit(main())
