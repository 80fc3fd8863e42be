"""Tiny commands to run, and specs of them."""

import sys
from typing import Any

from remote.actions import StartRequest
from trainer.run.layout import new_run_id
from trainer.run.spec import RunSpec

QUIET = "import time\ntime.sleep(120)"
BRIEF = "print('done', flush=True)"


def argv(code: str) -> tuple[str, ...]:
    """A Python that starts fast."""
    return (sys.executable, "-I", "-S", "-c", code)


def request(code: str = QUIET, **more: Any) -> StartRequest:
    return StartRequest(name="script", kind="command", argv=argv(code), inherit=False, **more)


def spec(code: str = QUIET, **more: Any) -> RunSpec:
    return RunSpec(
        run_id=more.pop("run_id", "") or new_run_id("script"),
        name="script",
        kind="command",
        device=more.pop("device", "cpu"),
        argv=argv(code),
        **more,
    )


def counting(lines: int, pause_s: float = 0.0) -> str:
    """Prints `line N` so many times."""
    return (
        "import sys, time\n"
        f"for i in range({lines}):\n"
        "    print('line', i, flush=True)\n"
        f"    time.sleep({pause_s})\n"
    )


def noting(path: object, then: str = QUIET) -> str:
    """Appends one byte to `path`, so that a test can count how often it was started."""
    return f"open({str(path)!r}, 'ab', 0).write(b'x')\n{then}"
