"""Numbers and times as a person reads them, in as few characters as can be."""

import time
from math import isfinite, isnan

UNKNOWN = "n/a"


def duration(seconds: float | None) -> str:
    """A length of time: `0.4 s`, `12 s`, `3m 05s`, `2h 14m`, `5d 3h`; n/a where unknown."""
    if seconds is None or not isfinite(seconds):
        return UNKNOWN
    seconds = max(seconds, 0.0)
    if 0 < seconds < 0.0005:
        return "<1 ms"
    if seconds < 0.95:
        return f"{1000 * seconds:.0f} ms"
    if seconds < 9.95:
        return f"{seconds:.1f} s"
    whole = round(seconds)
    if whole < 60:
        return f"{whole} s"
    if whole < 3600:
        return f"{whole // 60}m {whole % 60:02d}s"
    if whole < 86400:
        return f"{whole // 3600}h {whole % 3600 // 60:02d}m"
    return f"{whole // 86400}d {whole % 86400 // 3600}h"


def clock(seconds: float) -> str:
    """A time that is running: `00:41`, `1:02:09`, `5d 3h`."""
    whole = max(int(seconds), 0)
    if whole < 3600:
        return f"{whole // 60:02d}:{whole % 60:02d}"
    if whole < 86400:
        return f"{whole // 3600}:{whole % 3600 // 60:02d}:{whole % 60:02d}"
    return f"{whole // 86400}d {whole % 86400 // 3600}h"


def moment(at: float, *, seconds: bool = False) -> str:
    """A point in time, epoch seconds, by the clock of this machine."""
    return time.strftime("%d %b %H:%M:%S" if seconds else "%d %b %H:%M", time.localtime(at))


def shortened(text: str, width: int, tail: int = 7) -> str:
    """At most `width` characters, the middle left out: a run's last ones are what tells it from its kin."""
    if len(text) <= width:
        return text
    tail = min(tail, max(width - 4, 0))
    return f"{text[: max(width - tail - 1, 0)]}…{text[len(text) - tail :] if tail else ''}"


def age(seconds: float | None) -> str:
    """How long ago: `now` below two seconds."""
    if seconds is None:
        return UNKNOWN
    return "now" if seconds < 2 else f"{duration(seconds)} ago"


def past(seconds: float | None) -> str:
    """How long ago something ended, in one unit, so that it seldom changes: `35 min ago`, `2 h ago`."""
    if seconds is None or not isfinite(seconds):
        return UNKNOWN
    for unit, name in ((86400, "d"), (3600, "h"), (60, "min")):
        if seconds >= unit:
            return f"{int(seconds // unit)} {name} ago"
    return "just now"


def fixed(value: float | None, decimals: int, width: int) -> str:
    """A value with its point where that of its neighbours stands; what does not fit so has fewer decimals."""
    if value is None or not isfinite(value) or value == 0:
        return number(value) if value != 0 else f"{0:.{decimals}f}"
    if abs(value) >= 0.5 * 10**-decimals:
        for places in range(decimals, -1, -1):
            if len(text := f"{value:.{places}f}") <= width:
                return text
    return f"{value:.1e}".replace("e-0", "e-").replace("e+0", "e")


def number(value: float | None, digits: int = 4) -> str:
    """A value with `digits` significant digits; `nan` and `inf` are said as they are."""
    if value is None:
        return UNKNOWN
    if isnan(value):
        return "nan"
    if not isfinite(value):
        return "inf" if value > 0 else "-inf"
    if value == 0:
        return "0"
    size = abs(value)
    if size >= 10**7 or size < 10**-4:
        return f"{value:.{digits - 2}e}".replace("e+0", "e").replace("e-0", "e-")
    whole = len(str(int(size))) if size >= 1 else 0
    if whole >= digits:
        return f"{value:.0f}"
    return f"{value:.{digits - whole}f}" if size >= 1 else f"{value:.{digits}f}"


def fine(value: float | None) -> str:
    """A value of any size with about four significant digits: a learning rate of 0.00012 is 1.20e-4."""
    if value is None or value == 0 or not isfinite(value) or abs(value) >= 1e-3:
        return number(value)
    return f"{value:.2e}".replace("e-0", "e-")


def count(value: float | None) -> str:
    """A count: 950, 12.3k, 4.1M."""
    if value is None or not isfinite(value):
        return UNKNOWN
    for size, unit in ((1e9, "G"), (1e6, "M"), (1e4, "k")):
        if abs(value) >= size:
            scale = 1e3 if unit == "k" else size
            return f"{value / scale:.3g}{unit}"
    return f"{value:.0f}"


def size(value: float | None) -> str:
    """Bytes: 512 B, 3.4 GB."""
    if value is None or not isfinite(value):
        return UNKNOWN
    for limit, unit in ((1e12, "TB"), (1e9, "GB"), (1e6, "MB"), (1e3, "kB")):
        if value >= limit:
            return f"{value / limit:.3g} {unit}"
    return f"{value:.0f} B"


def share(part: float | None, whole: float | None) -> str:
    """A percentage of `whole`."""
    if part is None or not whole:
        return UNKNOWN
    return f"{100 * part / whole:.0f} %"
