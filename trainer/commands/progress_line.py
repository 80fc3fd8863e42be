"""Telling on stderr what a command is at, in one line that is written over where there is a terminal."""

import sys
import time
from types import TracebackType
from typing import Self

EVERY_S = 10.0
"""Where stderr is no terminal, a line this often at most."""


class ProgressLine:
    """Says what is being done; leaves nothing behind on a terminal."""

    def __init__(self) -> None:
        self._stream = sys.stderr
        self._overwrites = self._stream.isatty()
        self._shown = ""
        self._at = 0.0

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._overwrites and self._shown:
            self._write("\r\033[K")

    def say(self, what: str) -> None:
        """Say it, unless it was just said, or something was and nobody watches."""
        if what == self._shown:
            return
        now = time.monotonic()
        if self._overwrites:
            self._write(f"\r\033[K{what}")
        elif not self._shown or now - self._at >= EVERY_S:
            self._write(f"{what}\n")
        else:
            return
        self._shown, self._at = what, now

    def _write(self, text: str) -> None:
        self._stream.write(text)
        self._stream.flush()
