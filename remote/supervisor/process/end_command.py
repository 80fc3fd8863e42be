"""The command that is called when a run is over (`--on-end`): once, with the ending in its environment.

It is no process of the run: it has no token, no lock and a session of its own, so nobody takes it for a
survivor, and it may start or resume runs. What it says, and how it ended, stands in supervisor.log.
"""

import os
import selectors
import signal
import subprocess
import time
from collections.abc import Mapping

from remote.supervisor.log import Log
from remote.supervisor.process.work_copy import folder_of
from trainer.run.layout import RunDir
from trainer.run.process.process_record import RUN_VARIABLES
from trainer.run.secrets import masked_text
from trainer.run.spec import RunSpec
from trainer.run.states import StateRecord

KEPT_BYTES = 2000
GRACE_S = 2.0


def call_end_command(spec: RunSpec, run: RunDir, ended: StateRecord, timeout_s: float, log: Log) -> None:
    """Call it and wait; whatever goes wrong there costs the run nothing and is logged.

    Args:
        ended: the terminal state as it stands on disk.
        timeout_s: after so many seconds it is ended, with what it started in its session.
    """
    if not spec.on_end:
        return
    try:
        process = subprocess.Popen(
            spec.on_end,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            cwd=folder if (folder := folder_of(spec, run)).is_dir() or not spec.code else run.path,
            env=environment_at_end(spec, run, ended),
            start_new_session=True,
        )
    except OSError as error:
        log(f"the command for the end could not be started: {error}")
        return
    output = _output(process, time.monotonic() + timeout_s)
    is_late = process.poll() is None
    if is_late:
        _end(process)
    printed = masked_text(output.decode("utf-8", "replace").strip())
    how = f"was ended after {timeout_s:g} s" if is_late else f"ended with {process.wait()}"
    log(f"the command for the end {how}" + (f"; it said: {printed}" if printed else ""))


def environment_at_end(
    spec: RunSpec, run: RunDir, ended: StateRecord, env: Mapping[str, str] = os.environ
) -> dict[str, str]:
    """What the run had, without the marks of a run's processes, and what became of it."""
    base = {key: value for key, value in env.items() if key not in RUN_VARIABLES}
    ending = {
        "PHOTINUS_ENDED_RUN": run.run_id,
        "PHOTINUS_ENDED_NAME": spec.name,
        "PHOTINUS_ENDED_STATE": str(ended.state),
        "PHOTINUS_ENDED_REASON": ended.reason.replace("\0", " "),
        "PHOTINUS_ENDED_CODE": "" if ended.code is None else str(ended.code),
        "PHOTINUS_ENDED_FOLDER": str(run.path),
    }
    return {**base, **spec.env, **ending}


def _output(process: "subprocess.Popen[bytes]", deadline: float) -> bytes:
    """The end of what it writes, until it has ended or the time is over; a helper it leaves may write on."""
    assert process.stdout is not None
    kept = b""
    os.set_blocking(process.stdout.fileno(), False)
    with process.stdout as pipe, selectors.DefaultSelector() as waiting:
        waiting.register(pipe, selectors.EVENT_READ)
        is_open = True
        while time.monotonic() < deadline:
            is_over = process.poll() is not None
            if is_open and waiting.select(0.0 if is_over else 0.1):
                data = pipe.read(65_536)
                is_open = bool(data)
                kept = (kept + (data or b""))[-KEPT_BYTES:]
            elif is_over:
                break
            elif not is_open:
                time.sleep(0.1)
    return kept


def _end(process: "subprocess.Popen[bytes]") -> None:
    """SIGTERM, a grace, SIGKILL to its session: our own child, not reaped yet, so the number is still its."""
    for signum in (signal.SIGTERM, signal.SIGKILL):
        os.killpg(process.pid, signum)
        try:
            process.wait(GRACE_S)
        except subprocess.TimeoutExpired:
            continue
        return
    process.wait()
