"""What a host's files say of a run beside its state: when it ran, how it ended, what still lives of it."""

import time
from collections.abc import Mapping
from typing import Any

from remote.protocol.views import RunDetails
from tui.store.words import duration

TEXTS_MAX = 40
TIME_MAX = 253_402_300_799.0  # the last second that a calendar with four digits of a year has


def evidence(details: RunDetails) -> dict[str, Any]:
    """The fields that `show` adds, from the host's answer about one run; of an older host they are empty."""
    began, ended = moment(details.began), moment(details.ended)
    return {
        "began": began,
        "ended": ended,
        "duration_s": ended - began if began is not None and ended is not None and ended >= began else None,
        "log_end": list(details.log_end[:TEXTS_MAX]),
        "left": list(details.left[:TEXTS_MAX]),
    }


def evidence_words(shown: Mapping[str, Any]) -> list[str]:
    """The same for people: only what there is."""
    lines = []
    if shown.get("began") is not None:
        ended = f", ended {clock(shown['ended'])}" if shown.get("ended") is not None else ""
        took = f", after {duration(shown['duration_s'])}" if shown.get("duration_s") is not None else ""
        lines.append(f"  began        {clock(shown['began'])}{ended}{took}")
    lines += [f"  still lives  {one}" for one in shown.get("left", [])]
    lines += [f"  log ends     {one}" for one in shown.get("log_end", [])[:1]]
    return lines + [f"               {one}" for one in shown.get("log_end", [])[1:]]


def moment(at: float | None) -> float | None:
    """A time of the host's clock, where it is one."""
    return at if at is not None and 0 < at < TIME_MAX else None


def clock(at: float) -> str:
    """A time for people, in this machine's zone."""
    return time.strftime("%Y-%m-%d %H:%M:%S", time.localtime(at))
