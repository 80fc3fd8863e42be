"""Ending what is left of an attempt: SIGTERM, a grace, SIGKILL, one verified process at a time."""

import signal
import time

from remote.supervisor.log import Log
from remote.supervisor.timeouts import SupervisorTimeouts
from trainer.run.layout import RunDir
from trainer.run.process.identity import Identity, is_stopped
from trainer.run.process.process_record import ProcessRecord
from trainer.run.process.signals import send
from trainer.run.process.survivors import Survivor, settled, survivors
from trainer.run.run_errors import RunError

SCAN_S = 0.05


def clear(run: RunDir, record: ProcessRecord, timeouts: SupervisorTimeouts, log: Log) -> list[Survivor]:
    """End every process of the attempt; returns those that live `unkillable_s` after their SIGKILL.

    Every member of the group is signalled through its own verified pidfd, never by the group's number: a
    number can become somebody else's.
    """
    left = settled(run, record)
    if not left:
        return []
    log(f"SIGTERM to {_names(left)}")
    left = _signal_until_gone(run, record, signal.SIGTERM, timeouts.grace_s, log)
    if left:
        log(f"SIGKILL to {_names(left)}")
        left = _signal_until_gone(run, record, signal.SIGKILL, timeouts.unkillable_s, log)
    return left


def wake(run: RunDir, record: ProcessRecord, log: Log) -> None:
    """SIGCONT to members that are stopped, so that a stop request can be heard."""
    for one in survivors(run, record):
        if is_stopped(one.identity):
            log(f"SIGCONT to {one.pid}: it was suspended")
            deliver(one.identity, signal.SIGCONT, log)


def deliver(identity: Identity, signum: signal.Signals, log: Log) -> bool:
    """Send a signal to this very process; a refused one is told, and counts as not sent."""
    try:
        return send(identity, signum)
    except RunError as error:
        log(str(error))
        return False


def _signal_until_gone(
    run: RunDir, record: ProcessRecord, signum: signal.Signals, for_s: float, log: Log
) -> list[Survivor]:
    """Signal each survivor once, those born meanwhile too, until none lives or the time is over."""
    deadline = time.monotonic() + for_s
    signalled: set[Identity] = set()
    while left := settled(run, record):
        for one in left:
            if one.identity not in signalled:
                signalled.add(one.identity)
                deliver(one.identity, signum, log)
        if time.monotonic() >= deadline:
            return left
        time.sleep(min(SCAN_S, max(for_s, 0.001)))
    return []


def _names(left: list[Survivor]) -> str:
    return ", ".join(f"{one.pid} ({'+'.join(one.found_by)})" for one in left)
