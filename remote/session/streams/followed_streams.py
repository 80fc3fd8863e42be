"""Every followed file of a session, attached to whichever connection there is."""

from collections import deque
from collections.abc import Callable

from remote.protocol.arguments import AckArgs, UntailArgs
from remote.protocol.errors import CallError, ProtocolError
from remote.protocol.framing import Frame
from remote.protocol.messages import WINDOW, Reply
from remote.protocol.results import StreamSkipped
from remote.protocol.verbs import ACK, UNTAIL
from remote.protocol.views import RunView
from remote.session.link.connection import Connection
from remote.session.pending_calls import answer_to
from remote.session.recovery import Recovery
from remote.session.streams.follower import Follower
from remote.session.updates import Bytes, Gap, StreamBegin, StreamEnd, Truncated, Update


class FollowedStreams:
    """Used by the session's own thread only; its updates go into `updates`."""

    def __init__(self, updates: "deque[Update]") -> None:
        self._updates = updates
        self._followers: dict[int, Follower] = {}
        self._recovery: Recovery | None = None

    def add(self, follower: Follower, connection: Connection | None) -> None:
        """Follow a file from now on."""
        self._followers[follower.key] = follower
        if connection:
            self._attach(follower, connection)

    def remove(self, key: int, connection: Connection | None) -> None:
        """Follow it no longer."""
        follower = self._followers.pop(key, None)
        self._settle(lambda recovery: recovery.gone(key))
        if follower and connection and follower.stream is not None:
            connection.send(UNTAIL, UntailArgs(stream=follower.stream))

    def attach_all(self, connection: Connection) -> None:
        """A new connection: go on with every file where it stands."""
        self._recovery = Recovery()
        for follower in self._followers.values():
            follower.detach()
            if follower.cursor is not None and not follower.ended:
                self._recovery.waiting[follower.key] = None
            self._attach(follower, connection)

    def is_back(self, after_s: float | None) -> None:
        """The link is up, and was away for so long; None: it is the first one."""
        if after_s is None:
            self._recovery = None
        elif self._recovery is not None:
            self._recovery.seconds = after_s
            self._settle()

    def detach_all(self) -> None:
        """The connection is gone."""
        self._recovery = None
        for follower in self._followers.values():
            follower.detach()

    def answer(self, reply: Reply) -> bool:
        """Take the answer to a `tail` of ours; False if it is none.

        Raises:
            ProtocolError: it makes no sense.
        """
        follower = next((one for one in self._followers.values() if one.asked == reply.id), None)
        if follower is None or reply.id is None:
            return False
        answer = answer_to(follower.verb, reply)
        if isinstance(answer, ProtocolError):
            raise answer
        if isinstance(answer, CallError):
            follower.asked, follower.ended = None, True
            self._settle(lambda recovery: recovery.gone(follower.key))
            self._updates.append(StreamEnd(follower.key, follower.run_id, answer.message))
        else:
            if follower.cursor is None:
                before = answer.cursor.offset if answer.before is None else answer.before
                self._updates.append(StreamBegin(follower.key, follower.run_id, before))
            if follower.attached(answer.stream, answer.cursor):
                self._updates.append(Truncated(follower.key, follower.run_id, answer.cursor.gen))
            self._settle(lambda recovery: recovery.behind(follower.key, answer.behind))
        return True

    def take(self, frame: Frame, connection: Connection) -> None:
        """Deliver what is new of a frame.

        Raises:
            ProtocolError: more is on its way than a stream may have: an agent of ours waits for our `ack`.
        """
        follower = self._by_stream(frame.header.stream)
        if follower is None:
            return
        gen = follower.cursor.gen if follower.cursor else 0
        file = follower.cursor.file if follower.cursor else ""
        try:
            offset, data = follower.take(frame)
        except LookupError:
            connection.send(UNTAIL, UntailArgs(stream=frame.header.stream))
            follower.detach()
            self._attach(follower, connection)
            return
        if follower.received - follower.acked > WINDOW:
            raise ProtocolError("the host sends more of a file than it was asked for")
        head = frame.header
        if head.gen > gen and head.file == file:
            self._updates.append(Truncated(follower.key, follower.run_id, head.gen))
        if data:
            follower.delivered += len(data)
            update = Bytes(
                follower.key, follower.run_id, head.what, head.gen, offset, data, head.file, head.at
            )
            self._updates.append(update)
            self._settle(lambda recovery: recovery.took(follower.key, follower.run_id, follower.what, data))
        else:
            _acknowledge(follower, connection)

    def drained(self, read: dict[int, int], connection: Connection | None) -> None:
        """The owner took so many bytes by key: the host may send as many more."""
        for key, count in read.items():
            follower = self._followers.get(key)
            if follower is None:
                continue
            follower.drained += count
            if connection:
                _acknowledge(follower, connection)

    def skipped(self, gap: StreamSkipped) -> None:
        """The agent left out what nobody could have looked at."""
        follower = self._by_stream(gap.stream)
        if follower is not None and follower.skipped(gap.start, gap.end):
            self._settle(lambda recovery: recovery.gone(follower.key))
            self._updates.append(Gap(follower.key, follower.run_id, gap.start, gap.end, gap.missed))

    def ended(self, stream: int, reason: str = "") -> None:
        """The agent says that a file is over; `reason`: that it can be read no further."""
        follower = self._by_stream(stream)
        if follower is not None:
            follower.stream, follower.ended = None, True
            self._settle(lambda recovery: recovery.gone(follower.key))
            self._updates.append(StreamEnd(follower.key, follower.run_id, reason))

    def run_seen(self, view: RunView, connection: Connection | None) -> None:
        """A run goes on after its end: so do its followed files."""
        for follower in self._followers.values():
            again = follower.ended and follower.goes_on and follower.run_id == view.run_id
            if connection and again and not view.is_terminal:
                self._attach(follower, connection)

    def _settle(self, note: Callable[[Recovery], None] = lambda _recovery: None) -> None:
        """Note something while a link is being made good, and tell when it is."""
        if self._recovery is None:
            return
        note(self._recovery)
        if (recovered := self._recovery.result()) is not None:
            self._recovery = None
            self._updates.append(recovered)

    def _attach(self, follower: Follower, connection: Connection) -> None:
        follower.ended = False
        follower.asked = connection.send(follower.verb, follower.request())

    def _by_stream(self, stream: int) -> Follower | None:
        return next((one for one in self._followers.values() if one.stream == stream), None)


def _acknowledge(follower: Follower, connection: Connection) -> None:
    """Tell the agent how much of this stream was read; what still lies undrained was not."""
    done = follower.received - (follower.delivered - follower.drained)
    if follower.stream is not None and done > 0:
        connection.send(ACK, AckArgs(stream=follower.stream, off=done))
        follower.acked = max(follower.acked, done)
