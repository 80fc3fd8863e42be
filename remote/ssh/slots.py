"""The few channels that a server allows on one connection, shared by whoever needs one."""

import threading
import time

from remote.protocol.errors import TimeoutError_

RETRY_S = 0.1


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
    """At most `count` channels at a time; who comes later waits."""

    def __init__(self, count: int) -> None:
        self._count, self._used = count, 0
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
        return end

    def give_back(self) -> None:
        """Let another have it."""
        with self._changed:
            self._used -= 1
            self._changed.notify_all()

    def wait_for_another(self, end: Until) -> bool:
        """The server allows fewer than we thought: wait a moment for another channel to close there.

        Returns False, and gives this one back, if there is no other, or `end` has passed.
        """
        with self._changed:
            if self._used > 1 and not end.is_over:
                self._changed.wait(min(RETRY_S, end.left()))
                return True
        self.give_back()
        return False
