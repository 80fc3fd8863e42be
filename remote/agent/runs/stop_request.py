"""Leaving a request to a run's supervisor, on a full disk too: a stop and a kill must not need space."""

import signal
import time
from collections.abc import Generator

from remote.protocol.errors import CallError
from trainer.run.control import ControlRequest, put_request
from trainer.run.disk.atomic import NO_SPACE, fsync_folder
from trainer.run.layout import RunDir
from trainer.run.locks import is_free
from trainer.run.process.process_record import ProcessRecord
from trainer.run.process.signals import send

PARTING_S = 5.0


def ask(run: RunDir, request: ControlRequest, record: ProcessRecord | None) -> Generator[None, None, bool]:
    """Leave the request; True where the run has no supervisor any more, so that the agent must end it.

    Where no file fits, the run's reserve is given up. Where that is spent too, a stop is a SIGTERM to the
    supervisor, which asks for the same; a kill ends the supervisor first, which frees the run's lock.

    Raises:
        OSError: the disk refused, and not because it is full.
        CallError: `disk_low`: no file fits and nobody knows the supervisor; `timeout`: it does not die.
    """
    try:
        put_request(run, request)
        return False
    except OSError as error:
        if error.errno not in NO_SPACE:
            raise
    if _give_up_reserve(run):
        try:
            put_request(run, request)
            return False
        except OSError as error:
            if error.errno not in NO_SPACE:
                raise
    signum = signal.SIGTERM if request.verb == "stop" else signal.SIGKILL
    if record is None or not send(record.supervisor, signum):
        raise CallError(
            "disk_low",
            f"the host's disk is full: no request to {run.run_id} could be written",
            "free some space and try again",
        )
    if request.verb == "stop":
        return False
    deadline = time.monotonic() + PARTING_S
    while not is_free(run.lock):
        if time.monotonic() > deadline:
            raise CallError(
                "timeout", f"the supervisor of {run.run_id} does not die", "look again in a minute"
            )
        yield
    return True


def _give_up_reserve(run: RunDir) -> bool:
    """Free the 64 KiB that were set aside; False if they were spent already."""
    try:
        run.reserve.unlink()
        fsync_folder(run.path)
    except OSError:
        return False
    return True
