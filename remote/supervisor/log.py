"""The supervisor's own words, in supervisor.log."""

import contextlib
import sys
import time
from collections.abc import Callable
from typing import TypeAlias

Log: TypeAlias = Callable[[str], None]


def log(text: str) -> None:
    """One dated line on stderr. A full disk must cost the line, not the run."""
    with contextlib.suppress(OSError):
        print(time.strftime("%Y-%m-%dT%H:%M:%S%z"), text, file=sys.stderr, flush=True)
