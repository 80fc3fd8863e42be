"""Signals to exactly the process that was meant. Never by name, never by group number."""

import os
import signal

from trainer.run.process.identity import Identity
from trainer.run.process.kernel import ProcessReader
from trainer.run.process.system_kernel import system_reader
from trainer.run.run_errors import RunError


class RefusedSignalError(RunError):
    """A signal that Photinus never sends."""


def send(identity: Identity, signum: int, reader: ProcessReader | None = None) -> bool:
    """Signal this very process; False if it is gone (or a zombie).

    Linux: open a pidfd, then compare the identity, then signal through it: the pid cannot change owner in
    between. macOS has no pidfd: compare, then kill(2).

    Raises:
        RefusedSignalError: pid <= 1, ourselves or an ancestor of ours, or another user's process.
    """
    reader = reader or system_reader()
    if identity.pid <= 1:
        raise RefusedSignalError(f"refused to signal pid {identity.pid}")
    if identity.pid in own_ancestry(reader):
        raise RefusedSignalError(
            f"refused to signal {identity.pid}: it is this process or one that it came from"
        )
    if not hasattr(signal, "pidfd_send_signal"):
        return _is_same(identity, reader) and _kill(identity.pid, signum)
    try:
        fd = os.pidfd_open(identity.pid)
    except ProcessLookupError:
        return False
    try:
        if not _is_same(identity, reader):
            return False
        signal.pidfd_send_signal(fd, signum)
    except ProcessLookupError:
        return False
    finally:
        os.close(fd)
    return True


def own_ancestry(reader: ProcessReader | None = None) -> set[int]:
    """This process and everything that it descends from."""
    reader = reader or system_reader()
    found = {os.getpid()}
    pid = os.getppid()
    while pid > 0 and pid not in found:
        found.add(pid)
        stat = reader.stat(pid)
        pid = stat.ppid if stat else 0
    return found


def _is_same(identity: Identity, reader: ProcessReader) -> bool:
    stat = reader.stat(identity.pid)
    if stat is None or stat.start != identity.start or identity.boot_id != reader.boot_id():
        return False
    if stat.uid != os.geteuid():
        raise RefusedSignalError(f"refused to signal {identity.pid}: it belongs to user {stat.uid}")
    return not stat.is_zombie


def _kill(pid: int, signum: int) -> bool:
    try:
        os.kill(pid, signum)
    except ProcessLookupError:
        return False
    return True
