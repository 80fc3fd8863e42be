"""Waiting for a condition with a deadline: the only way a test may wait."""

import time
from collections.abc import Callable

POLL_S = 0.01
BUSY = 4.0  # what a process may take longer where others hold the cores; who is in time waits no longer


def wait_until(condition: Callable[[], object], timeout: float = 10.0, what: str = "the condition") -> None:
    """Return as soon as `condition()` is truthy; raise TimeoutError naming `what` after BUSY `timeout` s."""
    timeout *= BUSY
    deadline = time.monotonic() + timeout
    while not condition():
        if time.monotonic() > deadline:
            raise TimeoutError(f"waited {timeout:.1f} s in vain for {what}")
        time.sleep(POLL_S)
