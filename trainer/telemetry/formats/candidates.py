"""Which lines of a block are worth a look: those that hold what some format looks for."""

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from heapq import heapify, heappop, heapreplace

from trainer.telemetry.formats.format import Format

HEAD = 1 << 13  # bytes of a block that show what other lines hold
MISSES = 16  # lines that may be found in vain, and one more a block, before whole needles are looked for


class RareParts:
    """What is looked for in place of needles: a byte is found forty times as fast as a word.

    Attributes:
        needles: what is wanted.
        parts: each needle holds one of them, and other lines hold none, as far as was seen.
    """

    def __init__(self, needles: Iterable[bytes]) -> None:
        self.needles = frozenset(needles)
        self._others = b""
        self._misses = 0
        self._found = next(iter(self.needles), b"")  # the needle that was met last
        self.parts: tuple[bytes, ...] = ()

    def look(self, block: bytes) -> None:
        """Choose the parts by what the first lines hold that have no needle, once."""
        self._misses = max(self._misses - 1, 0)
        if not self.parts:
            self._others = b"\n".join(line for line in block[:HEAD].split(b"\n") if not self.holds(line))
            self._choose()

    def holds(self, line: bytes) -> bool:
        """Whether a line holds a needle."""
        if self._found in line:
            return True
        for needle in self.needles:  # a loop, as in `Format.wants`
            if needle in line:
                self._found = needle
                return True
        return False

    def miss(self, line: bytes) -> None:
        """A line was found that has no needle: choose again."""
        self._misses += 1
        self._others = (line[:HEAD] + b"\n" + self._others)[: 2 * HEAD]
        if self._misses > MISSES:
            self.parts = tuple(self.needles)
        else:
            self._choose()

    def _choose(self) -> None:
        """Single bytes first, those that more needles share before the others; then words they share."""
        parts, left = self._shared(tuple(self.needles), 1, least=1)
        words, left = self._shared(left, 3, least=2)
        self.parts = (*parts, *words, *left)

    def _shared(self, needles: Sequence[bytes], size: int, least: int) -> tuple[list[bytes], Sequence[bytes]]:
        """Pieces that no other line holds and `least` needles share, and the needles without one."""
        pieces = {
            needle: {needle[at : at + size] for at in range(len(needle) - size + 1)} for needle in needles
        }
        rare = {piece for piece in set().union(*pieces.values()) if piece not in self._others}
        parts: list[bytes] = []
        while pieces:
            shared = Counter(piece for held in pieces.values() for piece in held & rare)
            part, count = max(shared.items(), key=lambda pair: (pair[1], pair[0]), default=(b"", 0))
            if count < least:
                break
            parts.append(part)
            pieces = {needle: held for needle, held in pieces.items() if part not in held}
        return parts, tuple(pieces)


class Hits:
    """Walks over one block from line to line of those that hold one of a few parts.

    Attributes:
        place: from which on it looks.
    """

    def __init__(self, block: bytes, parts: Sequence[bytes]) -> None:
        self._block = block
        self.place = 0
        self.look_for(parts)

    def look_for(self, parts: Sequence[bytes]) -> None:
        """Look for these, from here on."""
        self._parts = parts
        self._next = [self._find(part) for part in parts]

    def _find(self, part: bytes) -> int:
        hit = self._block.find(part, self.place)
        return hit if hit >= 0 else len(self._block)

    def next(self, *, every: bool = False) -> int:
        """Where the next line begins, that with a part or `every`; -1 for nowhere."""
        place, hits = self.place, self._next
        if every:
            return place if place < len(self._block) else -1
        for at, hit in enumerate(hits):
            if hit < place:
                hits[at] = self._find(self._parts[at])
        hit = min(hits)
        if hit >= len(self._block):
            return -1
        return max(self._block.rfind(b"\n", place, hit) + 1, place)


class Candidates:
    """Walks over one block, line by line where a format wants every line, else from hit to hit.

    Formats may be exchanged on the way: the walk goes on behind the line that was given last.
    """

    def __init__(self, block: bytes, formats: Sequence[Format], parts: Sequence[bytes] = ()) -> None:
        """`parts` are looked for in place of the needles, where there are some."""
        self.block = block
        self.place = 0
        self.listen(formats, parts)

    def listen(self, formats: Sequence[Format], parts: Sequence[bytes] = ()) -> None:
        """Look for what these formats want, from here on."""
        self._formats = formats
        self._single = formats[0] if len(formats) == 1 else None
        self._needles = set(parts) or {needle for one in formats for needle in one.needles}
        self._hits: list[tuple[int, bytes]] | None = None  # where each stands next, a heap
        self._seek = self._single.seek if self._single is not None else None
        self._sought = formats[0].needles[:1] if self._seek is not None else ()

    def __iter__(self) -> Iterator[int]:
        """Where each line begins. Its end is found by `line`, or the place is set behind what was read."""
        size = len(self.block)
        while self.place < size:
            single = self._single
            is_greedy = single.greedy if single is not None else True in [one.greedy for one in self._formats]
            start = self.place if is_greedy else self._next_hit()
            if start < 0:
                return
            yield start

    def line(self, start: int) -> bytes:
        """The line that begins there; the walk goes on behind it."""
        end = self.block.find(b"\n", start)
        if end < 0:
            end = len(self.block)
        self.place = end + 1
        return self.block[start:end]

    def _find(self, needle: bytes, place: int) -> int:
        hit = self.block.find(needle, place)
        if hit < 0 or self._seek is None or needle not in self._sought:
            return hit
        found = self._seek.search(self.block, hit)
        return found.start() if found is not None else -1

    def _next_hit(self) -> int:
        """Where the next line with a needle begins, -1 for nowhere."""
        block, place, hits = self.block, self.place, self._hits
        if hits is None:
            hits = self._hits = [(self._find(needle, place), needle) for needle in self._needles]
            hits[:] = [pair for pair in hits if pair[0] >= 0]
            heapify(hits)
        while hits and hits[0][0] < place:
            needle = hits[0][1]
            if (hit := self._find(needle, place)) >= 0:
                heapreplace(hits, (hit, needle))
            else:
                heappop(hits)
        if not hits:
            self.place = len(block)
            return -1
        return max(block.rfind(b"\n", place, hits[0][0]) + 1, place)
