"""What is said over a connection: hello first, then runs, followed files and whatever was waiting."""

from collections import deque
from typing import Any, TypeVar

from remote.audit.whoami import whoami
from remote.protocol.arguments import HelloArgs, NoArgs, PingArgs, VerbArgs
from remote.protocol.errors import CallError, ProtocolError
from remote.protocol.framing import Frame
from remote.protocol.messages import PROTO, Pushed, Reply
from remote.protocol.results import Pong, RunList
from remote.protocol.sanitise import clean
from remote.protocol.verbs import HELLO, PING, RUNS, TELEMETRY, Verb
from remote.protocol.version import version
from remote.protocol.views import HostHello, RunView
from remote.session.link.connection import Connection
from remote.session.pending_calls import CallTable, answer_to
from remote.session.run_cache import RunCache
from remote.session.streams.followed_streams import FollowedStreams
from remote.session.updates import HostSeen, RunChanged, RunsSeen, Telemetry, Update

A = TypeVar("A", bound=VerbArgs)


class Dialogue:
    """Turns messages into updates. Used by the session's own thread only."""

    def __init__(
        self,
        updates: "deque[Update]",
        board: RunCache,
        calls: CallTable,
        streams: FollowedStreams,
        telemetry_s: float,
        client: str,
    ) -> None:
        self.hello: HostHello | None = None
        self.hello_done = False
        self.refusal: CallError | None = None
        self._updates, self._board, self._calls, self._streams = updates, board, calls, streams
        self._telemetry_s, self._client = telemetry_s, client or whoami()
        self._waiting: dict[int, Verb[Any, Any]] = {}
        self._next_telemetry = self._next_refresh = 0.0

    def begin(self) -> None:
        """No connection, or a new one: nothing was said on it yet."""
        self.hello_done, self.refusal = False, None
        self._waiting.clear()
        self._next_telemetry = self._next_refresh = 0.0

    def say_hello(self, connection: Connection) -> None:
        """The first request of a connection."""
        args = HelloArgs(proto=list(PROTO), version=version(), client=self._client)
        self._ask(connection, HELLO, args)

    def ping(self, connection: Connection, n: int) -> None:
        """Ask for pong `n`."""
        self._ask(connection, PING, PingArgs(n=n))

    def routine(self, connection: Connection, now: float, refresh_s: float) -> None:
        """Ask for what is asked for every so often."""
        if self._next_refresh and now >= self._next_refresh and RUNS not in self._waiting.values():
            self._ask(connection, RUNS, NoArgs())
        if now >= self._next_refresh:
            self._next_refresh = now + refresh_s
        due = self._telemetry_s > 0 and now >= self._next_telemetry
        if due and TELEMETRY not in self._waiting.values():
            self._next_telemetry = now + self._telemetry_s
            self._ask(connection, TELEMETRY, NoArgs())

    def take(self, message: Reply | Pushed | Frame, connection: Connection) -> int | None:
        """Take one message; the number of the pong, if it is one.

        Raises:
            ProtocolError: it makes no sense; the connection must be closed.
        """
        if isinstance(message, Frame):
            self._streams.take(message, connection)
        elif isinstance(message, Pushed):
            self._take_pushed(message, connection)
        elif (verb := self._waiting.pop(message.id or 0, None)) is not None:
            return self._take_own(verb, message, connection)
        elif not self._calls.answer(message):
            self._streams.answer(message)
        return None

    def _ask(self, connection: Connection, verb: Verb[A, Any], args: A) -> None:
        self._waiting[connection.send(verb, args)] = verb

    def _take_own(self, verb: Verb[Any, Any], reply: Reply, connection: Connection) -> int | None:
        answer = answer_to(verb, reply)
        if isinstance(answer, ProtocolError):
            raise answer
        if isinstance(answer, CallError):
            if verb is HELLO:
                self.refusal = answer
            return None  # the others are asked for again in the next round
        match answer:
            case Pong():
                return answer.n
            case HostHello():
                self._take_hello(answer, connection)
            case RunList():
                self._take_runs(answer, connection)
            case _:
                self._updates.append(Telemetry(answer))
        return None

    def _take_hello(self, hello: HostHello, connection: Connection) -> None:
        before = self.hello
        if before is not None and before.host_id != hello.host_id:
            self._board.clear()
        self.hello, self.hello_done = hello, True
        self._updates.append(HostSeen(hello, before is not None and before.boot_id != hello.boot_id))
        if hello.proto[0] != PROTO[0]:
            self.refusal = _other_protocol(hello)
        else:
            self._ask(connection, RUNS, NoArgs())
            self._streams.attach_all(connection)
        self._calls.send(connection)

    def _take_runs(self, answer: RunList, connection: Connection) -> None:
        views = self._board.put_all(answer.runs)
        self._updates.append(RunsSeen(views, answer.wall))
        for view in views:
            self._streams.run_seen(view, connection)

    def _take_pushed(self, message: Pushed, connection: Connection) -> None:
        if message.event == "state":
            view = self._board.put(RunView.from_json(message.body.get("run")))
            if view is not None:
                self._updates.append(RunChanged(view))
                self._streams.run_seen(view, connection)
        elif message.event == "eof":
            reason = message.body.get("reason", "")
            self._streams.ended(message.body.get("stream"), clean(str(reason)))
        elif message.event == "gap":
            self._streams.skipped(message.body)


def _other_protocol(hello: HostHello) -> CallError:
    theirs, ours = ".".join(map(str, hello.proto)), ".".join(map(str, PROTO))
    return CallError(
        "incompatible",
        f"the host's agent (photinus {hello.version}) speaks protocol {theirs}, this client {ours}: "
        "only status, stop and kill work",
        "update the older of the two",
        {"theirs": list(hello.proto), "ours": list(PROTO)},
    )
