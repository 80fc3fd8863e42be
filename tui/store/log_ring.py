"""The newest lines of a run's log, taken in as bytes, cut anywhere, and safe to show."""

import codecs
from bisect import bisect_right
from math import inf
from sys import getsizeof

from remote.protocol.sanitise import clean

CAPACITY = 200_000
BYTES_MAX = 64 << 20  # of memory, whatever the lines are made of
LINE_LIMIT = 64 * 1024
PIECE = 1 << 16  # bytes that an agent sends at once where there is more
TIMES_MAX = 100_000
_STEERING = bytes(range(9)) + bytes(range(11, 32)) + b"\x7f"


class LogRing:
    """A ring of lines, numbered from 0 since the first byte was heard.

    Attributes:
        lines: the lines kept, oldest first.
        dropped: the number of `lines[0]`: how many have left the ring; below 0 where older ones came.
        head: file and offset on the host at which `lines[0]` begins; None where nothing older is to be had.
        version: grows with every change.
        last_file: the log's generation that was heard last.
    """

    def __init__(self, capacity: int = CAPACITY) -> None:
        self.lines: list[str] = []
        self.dropped = 0
        self.head: tuple[str, int] | None = None
        self.version = 0
        self._capacity = capacity
        self._size = 0
        self._rest = ""
        self._times: list[tuple[int, float]] = []  # since which line they came at which time, 0 unknown
        self._was_at_end = False
        self._decoder = codecs.getincrementaldecoder("utf-8")("replace")

    def __len__(self) -> int:
        return len(self.lines) + bool(self._rest)

    @property
    def received(self) -> int:
        """Lines since the first byte was received, those that have left the ring too."""
        return max(self.dropped, 0) + len(self)

    def line(self, index: int) -> str:
        """A line by its place in the ring; the last one may still be growing."""
        return self.lines[index] if index < len(self.lines) else _rewritten(self._rest)

    def time_of(self, number: int) -> float | None:
        """When a line came, epoch seconds by its host's clock; None where nobody was there to see."""
        place = bisect_right(self._times, (number, inf)) - 1
        return (self._times[place][1] or None) if place >= 0 else None

    def lines_by(self, at: float) -> int:
        """How many of the lines kept had come at `at`, epoch seconds by the host's clock; 0 where unknown."""
        since = [number for number, came in self._times if came > at]
        heard = any(0 < came <= at for _, came in self._times)
        if not heard:
            return 0
        return max(min(since[0] - self.dropped, len(self.lines)), 0) if since else len(self.lines)

    def feed(self, data: bytes, at: float = 0.0) -> None:
        """Take bytes of the log, written at `at` (epoch seconds, 0 unknown) at the latest.

        What comes after the end was reached was written just then; what is read up may be of any time.
        """
        known = at if self._was_at_end else 0.0
        self._was_at_end = 0 < len(data) < PIECE
        if not self._times or self._times[-1][1] != known:
            self._times.append((self.dropped + len(self.lines), known))
            if len(self._times) > TIMES_MAX:
                del self._times[: TIMES_MAX // 8]
        text = self._rest + self._decoder.decode(data)
        if "\x1b" in text or not text.isascii() or len(data.translate(None, _STEERING)) != len(data):
            text = _safe(text)
        *whole, self._rest = text.split("\n")
        if len(self._rest) > LINE_LIMIT:
            whole.append(self._rest)
            self._rest = ""
        self._add([_rewritten(line) for line in whole] if "\r" in text else whole)
        self.version += 1

    def prepend(self, file: str, offset: int, data: bytes, *, is_first: bool) -> int:
        """Put whole older lines before the first one; how many they were. Their numbers go below it."""
        if self.head is not None and data and self.head[0] != file:
            data += ("" if data.endswith(b"\n") else "\n").encode() + f"── {self.head[0]} ──\n".encode()
        self.head = None if is_first else (file, offset)
        if not data:
            return 0
        text = _safe(data.decode("utf-8", "replace"))
        older = [_rewritten(line) for line in text.removesuffix("\n").split("\n")]
        self.lines[:0] = older
        self._size += sum(map(getsizeof, older))
        self.dropped -= len(older)
        self.version += 1
        return len(older)

    def note(self, text: str) -> None:
        """Put in a line of the cockpit's own, closing an unfinished one."""
        rest, self._rest = self._rest, ""
        self._add([rest, text] if rest else [text])
        self.version += 1

    def _add(self, lines: list[str]) -> None:
        self.lines += lines
        self._size += sum(map(getsizeof, lines))
        # Dropping in large blocks keeps the cost a line constant.
        if len(self.lines) > self._capacity + self._capacity // 8:
            self._drop(len(self.lines) - self._capacity)
        if self._size > BYTES_MAX:
            least, excess = self._size - BYTES_MAX + BYTES_MAX // 8, 0
            while least > 0 and excess < len(self.lines) - 1:
                least -= getsizeof(self.lines[excess])
                excess += 1
            self._drop(excess)

    def _drop(self, excess: int) -> None:
        self._size -= sum(map(getsizeof, self.lines[:excess]))
        del self.lines[:excess]
        self.dropped += excess
        self.head = None


def _rewritten(line: str) -> str:
    """What a terminal would show: a carriage return goes back to the line's start."""
    return line if "\r" not in line else line.rstrip("\r").rpartition("\r")[2]


def _safe(text: str) -> str:
    """Cleaned, with the carriage returns kept."""
    return "\r".join(clean(part) for part in text.split("\r")) if "\r" in text else clean(text)
