"""Which lines of a block are worth a look: those that hold what some format looks for."""

from collections.abc import Iterator, Sequence

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
        self._needles = {needle: -2 for one in formats for needle in one.needles}
        self._seek = self._single.seek if self._single is not None else None
        self._sought = formats[0].needles[:1] if self._seek is not None else ()

    def __iter__(self) -> Iterator[int]:
        """Where each line begins. Its end is found by `line`, or the place is set behind what was read."""
        size = len(self.block)
        while self.place < size:
            single = self._single
            is_greedy = single.greedy if single is not None else any(one.greedy for one in self._formats)
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
        block, place, nearest = self.block, self.place, -1
        for needle, hit in self._needles.items():
            if hit == -1:
                continue
            if hit < place:
                hit = self._needles[needle] = self._find(needle, place)
                if hit == -1:
                    continue
            if nearest < 0 or hit < nearest:
                nearest = hit
        if nearest < 0:
            self.place = len(block)
            return -1
        return max(block.rfind(b"\n", place, nearest) + 1, place)
