"""Forced PID reuse: our process ends, a stranger gets its very pid, and the host is told to act on the run.

`unshare --pid --fork --mount-proc python -m tests.remote.reused_pids TRIALS WAY`: run as the first process of
a PID namespace, so that the next pid can be chosen. Prints one JSON object. The ways `hasty` (recorded at
once, before the kernel's tick of its start is over) and `careless` (signalled by pid alone) are controls.
"""

import contextlib
import json
import os
import signal
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path

from remote.agent.context import Context
from remote.agent.processes.processes import reap
from remote.agent.runs.stop import kill
from remote.protocol.arguments import KillArgs, ReapArgs
from remote.protocol.errors import CallError
from remote.supervisor.process.termination import clear, deliver, wake
from remote.supervisor.timeouts import SupervisorTimeouts
from tests.remote.driving import drive
from trainer.run.home import open_home
from trainer.run.layout import RunDir, new_run_id
from trainer.run.locks import Flock, is_free
from trainer.run.process.folder_place import place_of
from trainer.run.process.identity import Identity, boot_id, identify, identify_for_good
from trainer.run.process.process_record import TOKEN_VARIABLE, ProcessRecord, new_token, write_process
from trainer.run.records import write_spec, write_state
from trainer.run.spec import RunSpec
from trainer.run.states import State, StateRecord

LAST_PID = Path("/proc/sys/kernel/ns_last_pid")
BRIEF = SupervisorTimeouts(poll_s=0.002, grace_s=0.01, unkillable_s=0.01)
EACH_VERB = 25  # the whole verb `kill`, with an adopting supervisor, is tried every so often


@dataclass(frozen=True, slots=True)
class Reuse:
    """A recorded process that is gone, and the stranger that has its pid now."""

    was: Identity
    stranger: int
    same_tick: bool


def stay_deaf() -> None:
    """A stranger's life: every signal that can be held back is held back, so that it shows as pending."""
    signal.pthread_sigmask(signal.SIG_BLOCK, signal.valid_signals())
    while True:
        time.sleep(60)


def fork(*, leads: bool) -> int:
    pid = os.fork()
    if pid == 0:
        with contextlib.suppress(BaseException):
            if leads:
                os.setsid()
            stay_deaf()
        os._exit(1)
    return pid


def reuse(*, leads: bool, hastily: bool) -> Reuse | None:
    """Let a process of ours end, and give a stranger its pid; None if the kernel gave another one."""
    ours = fork(leads=True)
    was = identify(ours) if hastily else identify_for_good(ours)
    assert was is not None
    os.kill(ours, signal.SIGKILL)
    os.waitpid(ours, 0)
    LAST_PID.write_text(str(ours - 1))
    stranger = fork(leads=leads)
    if stranger != ours:
        end(stranger)
        return None
    if leads:
        while os.getsid(stranger) != stranger:
            pass
    now = identify(stranger)
    assert now is not None
    return Reuse(was, stranger, now.start == was.start)


def was_signalled(pid: int) -> bool:
    """Whether anything was sent to a stranger: it died, was stopped, or has a signal pending."""
    if os.waitpid(pid, os.WNOHANG | os.WUNTRACED)[0]:
        return True
    status = dict(
        line.split(":\t", 1) for line in Path(f"/proc/{pid}/status").read_text().splitlines() if ":\t" in line
    )
    return int(status["SigPnd"], 16) | int(status["ShdPnd"], 16) != 0


def end(pid: int) -> None:
    with contextlib.suppress(ProcessLookupError, ChildProcessError):
        os.kill(pid, signal.SIGKILL)
        os.waitpid(pid, 0)


def recorded(context: Context, who: Identity) -> RunDir:
    """A run on disk that was running, whose supervisor and trainer have both ended."""
    spec = RunSpec(
        run_id=new_run_id("reuse"), name="reuse", kind="command", device="cpu", argv=("/bin/true",)
    )
    run = context.home.run(spec.run_id).create()
    write_spec(run, spec)
    for lock in (run.lock, run.trainer_lock):
        with Flock(lock) as held:
            assert held.take()
    write_process(
        run,
        ProcessRecord(
            attempt=1,
            token=new_token(),
            boot_id=boot_id(),
            supervisor=who,
            trainer=who,
            session=who.pid,
            place=place_of(run.path),
        ),
    )
    state = StateRecord(
        run_id=run.run_id, state=State.RUNNING, seq=1, attempt=1, since=time.time(), boot_id=boot_id()
    )
    write_state(run, 0, state)
    return run


def careful(context: Context, run: RunDir, who: Identity, whole: bool) -> None:
    """Everything by which the product signals a run's processes."""
    record = context.views.process(run)
    assert record is not None
    for signum in (signal.SIGTERM, signal.SIGCONT, signal.SIGKILL):
        deliver(record.supervisor, signum, lambda _: None)
    clear(run, record, BRIEF, lambda _: None)
    wake(run, record, lambda _: None)
    with contextlib.suppress(CallError):
        drive(reap(context, ReapArgs(run_id=run.run_id, pid=who.pid, start=who.start)))
    if whole:
        drive(kill(context, KillArgs(run_id=run.run_id, req_id="k1", by="a trial")))
        while not is_free(run.lock):
            time.sleep(0.01)


def careless(_context: Context, _run: RunDir, who: Identity, _whole: bool) -> None:
    """What the seeds did: signal the number that a file names."""
    os.kill(who.pid, signal.SIGTERM)


def main(count: int, way: str) -> dict[str, object]:
    """`hits`: how often a stranger was signalled, by the kind of stranger."""
    made = same_tick = 0
    hits: dict[str, int] = {}
    os.environ.pop(TOKEN_VARIABLE, None)
    with tempfile.TemporaryDirectory() as folder:
        while made < count:
            context = Context.of(open_home(Path(folder) / f"home-{made // EACH_VERB}"))
            leads = made % 2 == 1
            case = reuse(leads=leads, hastily=way == "hasty")
            if case is None:
                continue
            run = recorded(context, case.was)
            act = careless if way == "careless" else careful
            act(context, run, case.was, made % EACH_VERB == 0)
            kind = f"{'session leader' if leads else 'child'}, {'same tick' if case.same_tick else 'later'}"
            hits[kind] = hits.get(kind, 0) + was_signalled(case.stranger)
            end(case.stranger)
            made += 1
            same_tick += case.same_tick
    return {"trials": made, "same_tick": same_tick, "hits": hits}


if __name__ == "__main__":
    print(json.dumps(main(int(sys.argv[1]), sys.argv[2])))
