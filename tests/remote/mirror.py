"""A client's mirror of a followed stream, fed by a tail without an agent in between."""

import json
from dataclasses import dataclass, field

from remote.agent.streams.source import FollowedFiles
from remote.agent.streams.tail import Tail, first_cursor
from remote.protocol.framing import Frame
from remote.protocol.messages import BytesHeader, Cursor
from remote.session.streams.follower import Follower


@dataclass
class Mirror:
    """What a client would hold: bytes by generation, each exactly once, over any number of lost links.

    Attributes:
        kept: generation -> bytes. gaps: `(from, to)` of what was left out.
    """

    source: FollowedFiles
    make: type[Tail] = Tail
    skip: bool = False
    kept: dict[int, bytes] = field(default_factory=dict)
    gaps: list[tuple[Cursor, Cursor]] = field(default_factory=list)
    _tail: Tail | None = None
    _follower: Follower = field(default_factory=lambda: Follower(1, "demo-abcdef", "log", 1 << 40))

    def attach(self) -> Tail:
        """A new connection, if there is none."""
        if self._tail is None:
            cursor = self._follower.cursor or first_cursor(self.source, 1 << 40)
            cursor = Cursor.from_json(json.loads(json.dumps(cursor.to_json())))
            self._tail = self.make(1, self.source, cursor, follow=True, skip=self.skip)
            self._follower.attached(1, self._tail.cursor)
        return self._tail

    def drop(self) -> None:
        """The link is lost."""
        if self._tail is not None:
            self._tail.close()
        self._tail = None
        self._follower.detach()

    def poll(self, frames_that_arrive: int = 1 << 30) -> None:
        """Everything that is there; with fewer frames the link breaks behind them."""
        tail, count = self.attach(), -1
        while count:
            frames = tail.poll(lambda: False)
            count = len(frames)
            for frame in frames:
                if frames_that_arrive == 0:
                    self.drop()
                    return
                frames_that_arrive -= 1
                self._take(frame)
            tail.acknowledge(1 << 60)

    def _take(self, frame: bytes) -> None:
        line, _, data = frame.partition(b"\n")
        raw = json.loads(line)
        if raw.pop("event") == "gap":
            start, end = Cursor.from_json(raw["from"]), Cursor.from_json(raw["to"])
            assert self._follower.skipped(start, end)
            self.gaps.append((start, end))
            return
        header = BytesHeader(**raw)
        offset, new = self._follower.take(Frame(header, data))
        held = self.kept.get(header.gen, b"")
        if not self.gaps:
            assert offset == len(held)
        self.kept[header.gen] = held + new
