"""stdout is data, stderr is talk; and every error becomes a sentence, a remedy and an exit code."""

import json
import math
import sys
from collections.abc import Callable
from typing import Any

from remote.protocol.errors import CallError
from remote.protocol.sanitise import clean, clean_line, escaped
from trainer.user_error import UserError

OK, FAILURE, USAGE, REFUSED, BUSY, UNREACHABLE, NOT_FOUND, TIMED_OUT = range(8)


def emit(value: Any) -> None:
    """One line of JSON on stdout."""
    sys.stdout.write(json_line(value))
    sys.stdout.flush()


def json_line(value: Any) -> str:
    """A value as a line of JSON: as it is for a pipe, and with nothing that steers a terminal for one.

    A number that is not finite, for which JSON has no word, is null.
    """
    try:
        text = json.dumps(value, separators=(",", ":"), ensure_ascii=False, allow_nan=False)
    except ValueError:
        text = json.dumps(_finite(value), separators=(",", ":"), ensure_ascii=False)
    text = text.encode("utf-8", "backslashreplace").decode("utf-8")  # half a surrogate pair stays readable
    return (escaped(text) if sys.stdout.isatty() else text) + "\n"


def _finite(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _finite(one) for key, one in value.items()}
    if isinstance(value, list | tuple):
        return [_finite(one) for one in value]
    return None if isinstance(value, float) and not math.isfinite(value) else value


def tell(text: str) -> None:
    """A line for people, on stdout."""
    sys.stdout.write(clean(text) + "\n")


def say(text: str) -> None:
    """Talk, on stderr."""
    sys.stderr.write(clean(text) + "\n")
    sys.stderr.flush()


def answer(value: Any, as_json: bool, in_words: Callable[[Any], str]) -> None:
    """The command's result: JSON for a script, words for a person."""
    if as_json:
        emit(value)
    else:
        tell(in_words(value))


def explain(error: Exception) -> int | None:
    """Say on stderr what went wrong and how to mend it; the exit code, or None for what is our own fault."""
    if isinstance(error, UserError):
        line = clean_line if isinstance(error, CallError) else clean  # what a host says has one line
        say(f"photinus: {line(error.message)}")
        if error.remedy:
            say(f"  remedy: {line(error.remedy)}")
        return error.exit_code
    if isinstance(error, FileNotFoundError):
        say(f"photinus: no such file: {error.filename}")
        return NOT_FOUND
    if isinstance(error, UnicodeDecodeError):
        say(f"photinus: that file is not text: {error.reason} at byte {error.start}")
        return USAGE
    if isinstance(error, OSError):
        say(f"photinus: {error.strerror or error}" + (f": {error.filename}" if error.filename else ""))
        return FAILURE
    return None
