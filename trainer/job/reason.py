"""Why something ended, as one short text: a compiler's whole output is no reason."""

import traceback
from collections.abc import Iterator

LONGEST = 2000
LINE = 400
TRACE_LINES = 60


def bounded(text: str, longest: int = LONGEST) -> str:
    """Return a text that is at most so long; what is left out is said."""
    if len(text) <= longest:
        return text
    return f"{text[:longest].rstrip()} ... ({len(text) - longest:,} characters left out)"


def reason_of(error: BaseException) -> str:
    """Return what an error that nobody expected says: its kind, and the line that names an error."""
    lines = [line.strip() for line in str(error).splitlines() if line.strip()] or [""]
    text = next((line for line in lines if " error: " in line), lines[0])
    return f"{type(error).__name__}: {bounded(text, LINE)}"


def trace_of(error: BaseException) -> str:
    """Return the traceback, without lines that no screen holds: of a long one, its two ends."""
    lines = list(_lines(error))
    if len(lines) > TRACE_LINES:
        half = TRACE_LINES // 2
        lines = [*lines[:half], f"... ({len(lines) - 2 * half:,} lines left out)", *lines[-half:]]
    return "\n".join(lines)


def _lines(error: BaseException) -> Iterator[str]:
    for part in traceback.format_exception(error):
        for line in part.splitlines():
            yield bounded(line, LINE)
