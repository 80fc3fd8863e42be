"""Which lines of a block are worth a look: those that hold what some format looks for."""

from collections.abc import Iterator, Sequence
from heapq import heapify, heappop, heapreplace

from trainer.telemetry.formats.format import Format


class Candidates:
    """Walks over one block, line by line where a format wants every line, else from hit to hit.

    Formats may be exchanged on the way: the walk goes on behind the line that was given last.
    """

    def __init__(self, block: bytes, formats: Sequence[Format]) -> None:
        self.block = block
        self.place = 0
        self.listen(formats)

    def listen(self, formats: Sequence[Format]) -> None:
        """Look for what these formats want, from here on."""
        self._formats = formats
        self._single = formats[0] if len(formats) == 1 else None
        self._needles = {needle for one in formats for needle in one.needles}
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
