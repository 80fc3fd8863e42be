"""stdout is data, stderr is talk; and every error becomes a sentence, a remedy and an exit code."""

import json
import sys
from collections.abc import Callable
from typing import Any

from remote.protocol.errors import CallError
from remote.protocol.sanitise import clean, clean_line

OK, FAILURE, USAGE, REFUSED, BUSY, UNREACHABLE, NOT_FOUND, TIMED_OUT = range(8)


def emit(value: Any) -> None:
    """One line of JSON on stdout."""
    sys.stdout.write(json.dumps(value, separators=(",", ":"), ensure_ascii=False) + "\n")
    sys.stdout.flush()


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
    from trainer.config.config_error import ConfigError
    from trainer.run.run_errors import HomeError, SpecError

    if isinstance(error, CallError):
        say(f"photinus: {clean_line(error.message)}")
        if error.remedy:
            say(f"  remedy: {clean_line(error.remedy)}")
        return error.exit_code
    if isinstance(error, ConfigError | SpecError):
        say(f"photinus: {error}")
        return USAGE
    if isinstance(error, HomeError):
        say(f"photinus: {error}")
        return REFUSED
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
