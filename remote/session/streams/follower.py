"""Followed files: cursors that survive the link, each byte delivered once."""

import zlib
from dataclasses import dataclass, field
from typing import Any

from remote.protocol.arguments import StreamArgs, TailArgs, WatchArgs
from remote.protocol.framing import Frame
from remote.protocol.results import StreamOpened
from remote.protocol.values import BEGINNING, Cursor
from remote.protocol.verbs import EVENTS, TAIL, WATCH, Verb

CHECKED = 64


@dataclass(slots=True)
class Follower:
    """One followed log or events file of a run, or any file of the host.

    Attributes:
        what: `log`, `events`, or `watch`: then `path` names the file and `run_id` is empty.
        skip: far behind, its reader goes on near the end: the gap is told.
        stream: the agent's number for it on the present connection; None while it has none.
        asked: request id of the `tail` that is on its way.
        received, acked: bytes of this stream that arrived on this connection, and what the agent was told.
        delivered, drained: bytes put into updates, and bytes that the owner took, over all connections.
        ended: the agent said that it is over.
        goes_on: what is written later is wanted too; otherwise the present end is the end.
    """

    key: int
    run_id: str
    what: str
    last: int
    cursor: Cursor | None = None
    stream: int | None = None
    asked: int | None = None
    received: int = 0
    acked: int = 0
    delivered: int = 0
    drained: int = 0
    ended: bool = False
    goes_on: bool = True
    path: str = ""
    skip: bool = False
    _before: bytes = field(default=b"")

    def detach(self) -> None:
        """The connection is gone."""
        self.stream = self.asked = None
        self.received = self.acked = 0

    @property
    def verb(self) -> Verb[Any, StreamOpened]:
        """What opens its stream."""
        if self.what == "watch":
            return WATCH
        return TAIL if self.what == "log" else EVENTS

    def request(self) -> StreamArgs:
        """Arguments of the verb that goes on where this one stands."""
        how: dict[str, Any] = {
            "cursor": self.cursor,
            "last": self.last,
            "follow": self.goes_on,
            "skip": self.skip,
        }
        if self.what == "watch":
            return WatchArgs(path=self.path, **how)
        return TailArgs(run_id=self.run_id, **how)

    def attached(self, stream: int, start: Cursor) -> bool:
        """The agent opened `stream`, to begin at `start`; True if it had to begin a new generation."""
        self.stream, self.asked, self.ended = stream, None, False
        self.received = self.acked = 0
        before = self.cursor
        anew = before is not None and start.gen > before.gen and start.offset == 0
        if before is None or anew:
            self.cursor, self._before = start, b""
        return anew and before is not None and before.file == start.file

    def skipped(self, start: Cursor, end: Cursor) -> bool:
        """The agent goes on at `end`; False if what came before `start` has not all arrived."""
        here = self.cursor or BEGINNING
        if (here.gen, here.offset) != (start.gen, start.offset) and start.gen <= here.gen:
            return False
        self.cursor, self._before = end, b""
        return True

    def take(self, frame: Frame) -> tuple[int, bytes]:
        """What of a frame is new: its offset and bytes (empty if nothing is).

        Raises:
            LookupError: bytes in between are missing; attach again from the cursor.
        """
        head, cursor = frame.header, self.cursor or BEGINNING
        self.received += len(frame.data)
        if head.gen < cursor.gen:
            return cursor.offset, b""
        skip = cursor.offset - head.off if head.gen == cursor.gen else 0
        if skip < 0:
            raise LookupError(f"bytes {cursor.offset} to {head.off} of {head.file} are missing")
        data = frame.data[skip:]
        if not data:
            return cursor.offset, b""
        before = (self._before if head.gen == cursor.gen else b"") + data[-CHECKED:]
        self._before = before[-CHECKED:]
        end = head.off + len(frame.data)
        self.cursor = Cursor(
            gen=head.gen,
            file=head.file,
            offset=end,
            crc=zlib.crc32(self._before),
            crc_n=len(self._before),
            inode=head.ino,
        )
        return head.off + skip, data
