"""The version of this installation, without the 25 ms that importing `importlib.metadata` takes."""

import re
import sys
from functools import cache
from pathlib import Path

PREFIX, SUFFIX = "photinus-", ".dist-info"


@cache
def version() -> str:
    """As in the distribution's metadata; `unknown` where photinus is not installed."""
    for folder in sys.path:
        for found in Path(folder or ".").glob(f"{PREFIX}*{SUFFIX}"):
            return found.name.removeprefix(PREFIX).removesuffix(SUFFIX)
    return "unknown"


def release(version: str) -> tuple[int, ...]:
    """The leading numbers: `2.13.0+cpu` gives (2, 13, 0); empty where there are none."""
    found = re.match(r"\d{1,9}(?:\.\d{1,9})*", version)
    return tuple(map(int, found[0].split("."))) if found else ()
