"""Progress of preparing data as a bar on stderr, where a terminal looks on."""

import sys
from typing import TYPE_CHECKING, TextIO

if TYPE_CHECKING:  # trainer.data brings numpy
    from trainer.data.progress import DataProgress

WIDTH = 24
WORDS = {
    "books": "books",
    "count": "counting n-grams",
    "encode": "encoding",
    "fetch": "fetching",
    "hash": "hashing",
    "learn": "learning byte pairs",
    "pause": "waiting between requests",
    "read": "reading",
    "split": "splitting",
    "verify": "verifying",
    "wait": "waiting for another process",
}
CLEAR = "\r\x1b[K"


def bar(progress: "DataProgress") -> str:
    """`reading              ████████░░░░ 33 %`; without the bar where nobody knows the end."""
    word = WORDS.get(progress.stage, progress.stage)
    if not progress.total:
        return word
    share = min(1.0, progress.done / progress.total)
    full = round(WIDTH * share)
    return f"{word:20} {'█' * full}{'░' * (WIDTH - full)} {share:4.0%}"


class Bars:
    """Draws the stage in hand on one line, and talk above it. To a file or pipe it only talks."""

    def __init__(self, stream: TextIO | None = None) -> None:
        self._stream = stream or sys.stderr
        self._draws = self._stream.isatty()
        self._drawn = ""

    def __call__(self, progress: "DataProgress") -> None:
        """Draw."""
        if self._draws and (line := bar(progress)) != self._drawn:
            self._stream.write(CLEAR + line)
            self._stream.flush()
            self._drawn = line

    def say(self, line: str) -> None:
        """Print a line, whole and without anything that would steer the terminal."""
        self.clear()
        self._stream.write("".join(map(_printable, line)) + "\n")
        self._stream.flush()

    def clear(self) -> None:
        """Take the bar away."""
        if self._drawn:
            self._stream.write(CLEAR)
            self._stream.flush()
            self._drawn = ""


def _printable(character: str) -> str:
    return character if character.isprintable() else character.encode("unicode_escape").decode("ascii")
