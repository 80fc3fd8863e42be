"""The few channels that a server allows on one connection, shared by whoever needs one."""

import threading
import time

from remote.protocol.errors import CallError, TimeoutError_

RETRY_S = 0.1
CLOSING_S = 5.0  # within which a server has noticed that a channel of ours is closed


class NarrowError(CallError):
    """The server allows one session on a connection, and that is in use."""

    def __init__(self, name: str) -> None:
        super().__init__(
            "refused",
            f"{name} allows one session on a connection, and it is in use",
            "MaxSessions 2 or more in its sshd_config",
        )


class Until:
    """A moment on the monotonic clock."""

    def __init__(self, seconds: float) -> None:
        self._end = time.monotonic() + seconds

    def left(self) -> float:
        """Seconds until then; never 0, so that it can be a time-out."""
        return max(0.001, self._end - time.monotonic())

    @property
    def is_over(self) -> bool:
        """Whether it has passed."""
        return time.monotonic() >= self._end


class Slots:
    """At most `count` channels at a time; who comes later waits.

    A place is first one of those that are being opened: only what is open counts at the server.
    """

    def __init__(self, count: int) -> None:
        self._count, self._used, self._opening = count, 0, 0
        self._changed = threading.Condition()

    def take(self, timeout_s: float) -> Until:
        """Have one; until when the channel should be open.

        Raises:
            TimeoutError_: all of them stayed in use.
        """
        end = Until(timeout_s)
        with self._changed:
            while self._used >= self._count:
                if end.is_over:
                    raise TimeoutError_(
                        f"all {self._count} channels of the connection are in use",
                        "wait for a transfer to end",
                    )
                self._changed.wait(end.left())
            self._used += 1
            self._opening += 1
        return end

    def opened(self) -> None:
        """The server opened it."""
        with self._changed:
            self._opening -= 1

    def give_back(self, *, is_open: bool = True) -> None:
        """Let another have it."""
        with self._changed:
            self._used -= 1
            self._opening -= not is_open
            self._changed.notify_all()

    def wait_for_another(self, end: Until, soon: Until) -> int | None:
        """The server opened none: it allows fewer than we thought, or still counts one that we have closed.

        Returns None after a moment in which another may have closed there: try again, until `soon` where at
        most one other is open, else until `end`. Then this one is given back, and the number of others told.
        """
        with self._changed:
            others = self._used - self._opening
            if not (end if others > 1 else soon).is_over:
                self._changed.wait(min(RETRY_S, end.left()))
                return None
        self.give_back(is_open=False)
        return others
