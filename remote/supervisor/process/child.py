"""The trainer's process as the supervisor sees it: its own child, or one that it adopted."""

import contextlib
import os
import select
import subprocess
import time
from typing import Protocol

from remote.supervisor.attempt_outcome import ProcessEnd
from trainer.run.process.identity import Identity, identify_for_good, is_alive
from trainer.run.run_errors import RunError


class Watched(Protocol):
    """A process that is waited for."""

    identity: Identity

    def wait(self, timeout_s: float) -> bool:
        """Whether it has ended, within `timeout_s` seconds. It is not reaped yet."""

    def reap(self) -> ProcessEnd:
        """How it ended; call once, after `wait` said so."""


class Child:
    """Our own child. Until `reap` it stays a zombie, so that its pid and session id can be nobody else's."""

    def __init__(self, process: "subprocess.Popen[bytes]") -> None:
        found = identify_for_good(process.pid)
        if found is None:
            raise RunError(f"our own child {process.pid} is not in the process table (is /proc mounted?)")
        self.identity = found
        self._process = process
        self._bell = _Doorbell(found)

    def wait(self, timeout_s: float) -> bool:
        """See `Watched`."""
        self._bell.wait(timeout_s)
        return os.waitid(os.P_PID, self.identity.pid, os.WEXITED | os.WNOHANG | os.WNOWAIT) is not None

    def reap(self) -> ProcessEnd:
        """See `Watched`."""
        self._bell.close()
        code = self._process.wait()
        return ProcessEnd(code=code) if code >= 0 else ProcessEnd(signal=-code)


class Adopted:
    """A process whose parent is gone. Its exit code went to whoever reaped it."""

    def __init__(self, identity: Identity) -> None:
        self.identity = identity
        self._bell = _Doorbell(identity)

    def wait(self, timeout_s: float) -> bool:
        """See `Watched`."""
        if not is_alive(self.identity):
            return True
        self._bell.wait(timeout_s)
        return not is_alive(self.identity)

    def reap(self) -> ProcessEnd:
        """See `Watched`."""
        self._bell.close()
        return ProcessEnd(known=False)


class _Doorbell:
    """Waits on a pidfd where there are such, else sleeps. It only wakes; it decides nothing."""

    def __init__(self, identity: Identity) -> None:
        self._fd = -1
        self._poll: select.poll | None = None
        if not hasattr(os, "pidfd_open"):
            return
        with contextlib.suppress(OSError):
            self._fd = os.pidfd_open(identity.pid)
        if self._fd >= 0:
            self._poll = select.poll()
            self._poll.register(self._fd, select.POLLIN)

    def wait(self, timeout_s: float) -> None:
        if self._poll is None:
            time.sleep(timeout_s)
        elif self._poll.poll(timeout_s * 1000.0):
            self._poll = None  # it rang; from here on, whoever still waits must not spin
            self.close()

    def close(self) -> None:
        if self._fd >= 0:
            os.close(self._fd)
            self._fd = -1
