"""Several processes that train one model: torchrun starts them, and this process stands for all of them.

`python -P -m trainer.torchrun --spec RUN_DIR`: a supervisor's child, or `photinus-train run` itself where it
is asked for more than one process. torchrun runs on a thread of its own, so that its signal handlers, which
grant a save 30 seconds, are never installed: a signal to this process becomes a stop request file, which
process 0 honours in its own time. The processes meet through a file in the run's folder, so that torchrun
opens no port, and talk over loopback.
"""

import logging
import os
import shutil
import sys
import threading
import time
import traceback
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from trainer.job.environment import granted_threads
from trainer.job.job import Assignment
from trainer.job.log_rotation import OwnLog
from trainer.job.outcome import ExitCode, RefusedError
from trainer.job.rank import STORE_VARIABLE
from trainer.job.stop import Stop
from trainer.job.worker_failures import Failure, verdict
from trainer.run.control import ControlRequest, put_request
from trainer.run.records import ExitRecord, read_exit, write_exit, write_hello
from trainer.telemetry.write import EventWriter

POLL_S = 0.05
FOLDER = "torchrun"
HEARTBEAT_S = 86_400  # of torchrun's own rendezvous, in a file that grows with each; it is alone in there
LOOPBACK = "lo0" if sys.platform == "darwin" else "lo"
LOCK_FD_VARIABLE = "PHOTINUS_TRAINER_LOCK_FD"
ATTEMPT_VARIABLE = "PHOTINUS_ATTEMPT"


def launch(assignment: Assignment, words: Sequence[str], stop: Stop) -> ExitCode:
    """Start the processes, pass a stop on, and say how they ended. The caller holds the trainer's lock.

    Args:
        words: the command line of each process, after `python -m trainer`.
        stop: its handlers are installed; it watches no folder, which is process 0's business.

    Raises:
        OSError: the run's folder cannot be written.
    """
    run = assignment.run.create()
    folder = run.path / FOLDER
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(mode=0o700)
    write_hello(run, assignment.attempt, assignment.token, os.getpid())
    os.environ.update(environment(assignment, folder))
    os.environ.pop(LOCK_FD_VARIABLE, None)  # torchrun closes descriptors: this process alone holds the lock
    held = _Torchrun(arguments(assignment, folder, words))
    held.start()
    log, passed_on = OwnLog(run, assignment.config.log.max_bytes), False
    while held.is_alive():
        held.join(POLL_S)
        log.keep_up()
        if stop.requested() and not passed_on:
            passed_on = True
            put_request(run, request_of(assignment, stop.reason))
    try:
        return _conclude(assignment, held)
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def environment(assignment: Assignment, folder: Path, env: Mapping[str, str] = os.environ) -> dict[str, str]:
    """Return what the processes need beside our own environment: where to meet, over loopback alone."""
    count = assignment.config.processes
    threads = assignment.config.threads or max(1, granted_threads() // count)
    more = {
        STORE_VARIABLE: str(folder / "meeting"),
        ATTEMPT_VARIABLE: str(assignment.attempt),
        "GLOO_SOCKET_IFNAME": LOOPBACK,
        "NCCL_SOCKET_IFNAME": LOOPBACK,
        "TORCH_DISABLE_SHARE_RDZV_TCP_STORE": "1",
        "OMP_NUM_THREADS": env.get("OMP_NUM_THREADS", str(threads)),
    }
    return more | ({"PYTHONSAFEPATH": "1"} if sys.flags.safe_path else {})


def arguments(assignment: Assignment, folder: Path, words: Sequence[str]) -> list[str]:
    """Return torchrun's command line."""
    return [
        *("--nnodes", "1", "--nproc-per-node", str(assignment.config.processes), "--max-restarts", "0"),
        *("--rdzv-backend", "c10d", "--rdzv-endpoint", str(folder / "rendezvous"), "--rdzv-id", "run"),
        *("--rdzv-conf", f"store_type=file,keep_alive_interval={HEARTBEAT_S}", "--local-addr", "127.0.0.1"),
        *("--log-dir", str(folder / "words"), "-m", "trainer", *words),
    ]


def request_of(assignment: Assignment, reason: str) -> ControlRequest:
    """Return the stop request that a signal to this process becomes."""
    return ControlRequest(
        req_id=f"launcher-{assignment.attempt}-{os.getpid()}",
        verb="stop",
        attempt=assignment.attempt,
        token=assignment.token,
        by=reason.removesuffix(" received"),
    )


class _Torchrun(threading.Thread):
    """torchrun, on a thread: there it installs no signal handlers."""

    def __init__(self, words: Sequence[str]) -> None:
        super().__init__(name="torchrun", daemon=True)
        self._words = list(words)
        self.failures: list[Failure] = []
        self.error = ""

    def run(self) -> None:
        """Start the processes and wait for them."""
        try:
            from torch.distributed import run as torchrun
            from torch.distributed.elastic.multiprocessing.errors import ChildFailedError

            logging.getLogger("torch.distributed.elastic.multiprocessing.api").addFilter(_is_news)
            try:
                torchrun.run(torchrun.parse_args(self._words))  # type: ignore[no-untyped-call]
            except ChildFailedError as error:
                self.failures = [_failure(rank, one) for rank, one in sorted(error.failures.items())]
        except Exception as error:  # whatever torchrun itself trips over must reach the last word
            traceback.print_exc()
            self.error = f"torchrun failed: {type(error).__name__}: {error}"


def _is_news(record: logging.LogRecord) -> bool:
    """That it could install no signal handlers is what we want."""
    return not record.getMessage().startswith("Failed to register signal handlers")


def _failure(rank: int, one: Any) -> Failure:
    message = one.message.get("message", "") if isinstance(one.message, dict) else ""
    message = str(message).removeprefix(f"{RefusedError.__name__}: ")
    return Failure(rank, int(one.exitcode), float(one.timestamp), message)


def _conclude(assignment: Assignment, held: _Torchrun) -> ExitCode:
    """The exit code; where process 0 could not know why the run failed, exit.json is told."""
    run = assignment.run
    word = read_exit(run, assignment.attempt, assignment.token)
    reason, code = (held.error, 1) if held.error else verdict(held.failures, word)
    ending = ExitCode(code) if code in set(ExitCode) else ExitCode.FAILURE
    if not reason:
        return ending
    blank = ExitRecord(attempt=assignment.attempt, token=assignment.token, outcome="failed")
    write_exit(run, replace(word or blank, outcome="failed", reason=reason, at=time.time()))
    print(f"Error: {reason}", file=sys.stderr, flush=True)
    with EventWriter(run.events, assignment.attempt) as events:
        events.note(reason, "error", word.step if word else None)
        events.phase("failed", word.step if word else None, reason)
    return ending
