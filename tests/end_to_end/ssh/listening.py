"""What a client hears of followed files: every byte once, in order, hashed."""

import hashlib
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from remote.session.session import Session
from remote.session.updates import Bytes, LinkChanged, StreamEnd, Truncated, Update
from tests.waiting import wait_until


@dataclass(slots=True)
class Mirror:
    """The bytes of one followed file, by name and generation, as a mirror on disk would hold them.

    Attributes:
        sizes: (file, generation) -> bytes heard so far; they must come without a gap and without a repeat.
        phases: every phase of the link with the monotonic time at which it was heard.
    """

    session: Session
    sizes: dict[tuple[str, int], int] = field(default_factory=dict)
    ends: list[StreamEnd] = field(default_factory=list)
    truncated: list[Truncated] = field(default_factory=list)
    phases: list[tuple[str, float]] = field(default_factory=list)
    keep: bool = False
    data: dict[tuple[str, int], bytearray] = field(default_factory=dict)
    _hashes: dict[tuple[str, int], Any] = field(default_factory=dict)

    def take(self, limit: int = 1000) -> list[Update]:
        """Drain, and check that offsets never jump or repeat."""
        updates = self.session.drain(limit)
        for one in updates:
            if isinstance(one, Bytes):
                self._hear(one)
            elif isinstance(one, StreamEnd):
                self.ends.append(one)
            elif isinstance(one, Truncated):
                self.truncated.append(one)
            elif isinstance(one, LinkChanged):
                self.phases.append((one.link.phase, time.monotonic()))
        return updates

    def size(self, file: str | None = None) -> int:
        """Bytes heard, of one file or of all."""
        return sum(size for (name, _), size in self.sizes.items() if file in (None, name))

    def sha256(self, file: str, gen: int) -> str:
        """Of everything heard of one generation of a file."""
        return str(self._hashes[file, gen].hexdigest())

    def until(self, condition: Callable[[], object], timeout: float = 20.0, what: str = "") -> None:
        """Take until `condition()` holds."""

        def holds() -> object:
            self.take()
            return condition()

        try:
            wait_until(holds, timeout, what or "what the client was to hear")
        except TimeoutError as error:
            raise TimeoutError(
                f"{error}; heard {self.sizes}, {self.session.link}, {self.phases[-6:]}"
            ) from None

    def until_end(self, count: int = 1, timeout: float = 60.0) -> None:
        """Take until so many streams have ended."""
        self.until(lambda: len(self.ends) >= count, timeout, "the end of the stream")

    def _hear(self, one: Bytes) -> None:
        place = (one.file, one.gen)
        had = self.sizes.get(place, 0)
        assert one.offset == had, f"{one.file}.{one.gen}: byte {one.offset} came after {had}"
        self.sizes[place] = had + len(one.data)
        self._hashes.setdefault(place, hashlib.sha256()).update(one.data)
        if self.keep:
            self.data.setdefault(place, bytearray()).extend(one.data)
