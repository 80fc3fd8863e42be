"""Operators that MPS lacks: an error that names one, and how often one ran on the CPU instead."""

import re
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

FALLBACK = "PYTORCH_ENABLE_MPS_FALLBACK"
_MISSING = re.compile(r"operator '([\w:.]+)' is not current\w* implemented for the MPS device")
_FELL_BACK = re.compile(r"operator '([\w:.]+)' is not current\w* supported on the MPS backend")


def missing_operator(error: BaseException) -> str:
    """Return a sentence with the remedy where MPS lacks an operator; "" for any other error."""
    found = _MISSING.search(str(error)) if isinstance(error, NotImplementedError | RuntimeError) else None
    if not found:
        return ""
    return (
        f"MPS lacks the operator {found[1]}; set {FALLBACK}=1 in the environment to have the CPU work it, "
        "which is slower, or train with --set device=cpu"
    )


class Fallbacks:
    """The operators that ran on the CPU although the device is MPS; torch warns of each once."""

    def __init__(self) -> None:
        self._found: dict[str, None] = {}
        self._reported = 0

    def hear(self, message: str) -> bool:
        """Take note of a warning; whether it was of this kind."""
        found = _FELL_BACK.search(message)
        if found:
            self._found.setdefault(found[1])
        return bool(found)

    def news(self) -> str:
        """Return a sentence about those that were not told of yet; "" where there are none."""
        names = list(self._found)
        fresh, self._reported = names[self._reported :], len(names)
        if not fresh:
            return ""
        return (
            f"MPS lacks {', '.join(fresh)}: the CPU works it, which is slower "
            f"({len(names)} operators in all; {FALLBACK} is set)"
        )

    @contextmanager
    def listening(self) -> Iterator[None]:
        """Hear every warning of this block; what is of another kind is shown as ever."""
        shown = warnings.showwarning

        def show(message: Warning | str, *rest: Any, **more: Any) -> None:
            if not self.hear(str(message)):
                shown(message, *rest, **more)

        warnings.showwarning = show
        try:
            yield
        finally:
            warnings.showwarning = shown
