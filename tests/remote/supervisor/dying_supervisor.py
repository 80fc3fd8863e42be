"""A supervisor that kills itself with SIGKILL at one named moment: `dying_supervisor.py MOMENT [ARG ...]`."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Mapping
from typing import Any

from remote.supervisor import __main__ as program
from remote.supervisor import attempt, attempt_watch, state_writer
from trainer.run.records import write_state
from trainer.run.states import State, StateRecord

MOMENTS = {
    "on entry": lambda: before(program, "take_post"),
    "before the token": lambda: before(attempt, "write_process"),
    "after the token": lambda: after(attempt, "write_process"),
    "before the spawn": lambda: before(attempt, "launch"),
    "between fork and exec": lambda: in_the_fork(subprocess),
    "after the spawn": lambda: after(attempt, "launch"),
    "after the identity": lambda: after(attempt, "write_process", call=2),
    "before running": lambda: at_state(State.RUNNING, written=False),
    "after running": lambda: at_state(State.RUNNING, written=True),
    "before stopping": lambda: at_state(State.STOPPING, written=False),
    "after stopping": lambda: at_state(State.STOPPING, written=True),
    "after the signal": lambda: after(attempt_watch, "deliver"),
    "before the last word is read": lambda: before(attempt_watch, "last_word"),
    "before the terminal state": lambda: before(state_writer.StateWriter, "close"),
    "after the terminal state": lambda: after(state_writer.StateWriter, "close"),
    "in backoff": lambda: before(time, "sleep"),
}


def die(*_: object) -> None:
    os.kill(os.getpid(), signal.SIGKILL)


def before(owner: Any, name: str) -> None:
    setattr(owner, name, die)


def after(owner: Any, name: str, call: int = 1) -> None:
    original: Callable[..., Any] = getattr(owner, name)
    calls = []

    def wrapped(*args: Any, **more: Any) -> Any:
        result = original(*args, **more)
        calls.append(name)
        if len(calls) == call:
            die()
        return result

    setattr(owner, name, wrapped)


def in_the_fork(owner: Any) -> None:
    """The newborn kills its parent, and is held at the FIFO `gate` of its run before it is anything else."""
    original = owner.Popen

    def hold(gate: str) -> None:
        os.kill(os.getppid(), signal.SIGKILL)
        os.close(os.open(gate, os.O_RDONLY))

    def wrapped(*args: Any, env: Mapping[str, str], **more: Any) -> Any:
        gate = f"{env['PHOTINUS_RUN_DIR']}/gate"
        return original(*args, env=env, preexec_fn=lambda: hold(gate), **more)

    owner.Popen = wrapped


def at_state(state: State, *, written: bool) -> None:
    def wrapped(run: Any, seq: int, record: StateRecord, **more: Any) -> None:
        if record.state is state and not written:
            die()
        write_state(run, seq, record, **more)
        if record.state is state:
            die()

    owner: Any = state_writer
    owner.write_state = wrapped


if __name__ == "__main__":
    MOMENTS[sys.argv[1]]()
    sys.exit(program.main(sys.argv[2:]))
