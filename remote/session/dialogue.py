"""What is said over a connection: hello first, then runs, followed files and whatever was waiting."""

import getpass
import os
import socket
from collections import deque
from collections.abc import Mapping
from typing import Any

from remote.protocol.errors import CallError, ProtocolError
from remote.protocol.framing import Frame
from remote.protocol.messages import PROTO, Pushed, Reply
from remote.protocol.sanitise import clean
from remote.protocol.version import version
from remote.protocol.views import HostHello, RunView, checked
from remote.session.link.connection import Connection
from remote.session.pending_calls import CallTable, cleaned
from remote.session.run_cache import RunCache
from remote.session.streams.followed_streams import FollowedStreams
from remote.session.updates import HostSeen, RunChanged, RunsSeen, Telemetry, Update


def whoami() -> str:
    """`user@machine (pid)`: how another operator is told who acted."""
    try:
        user = getpass.getuser()
    except (KeyError, OSError):
        user = str(os.getuid())
    return f"{user}@{socket.gethostname()} ({os.getpid()})"


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
        self._waiting: dict[int, str] = {}
        self._next_telemetry = self._next_refresh = 0.0

    def begin(self) -> None:
        """No connection, or a new one: nothing was said on it yet."""
        self.hello_done, self.refusal = False, None
        self._waiting.clear()
        self._next_telemetry = self._next_refresh = 0.0

    def say_hello(self, connection: Connection) -> None:
        """The first request of a connection."""
        args = {"proto": list(PROTO), "version": version(), "client": self._client}
        self._ask(connection, "hello", args)

    def ping(self, connection: Connection, n: int) -> None:
        """Ask for pong `n`."""
        self._ask(connection, "ping", {"n": n})

    def routine(self, connection: Connection, now: float, refresh_s: float) -> None:
        """Ask for what is asked for every so often."""
        if self._next_refresh and now >= self._next_refresh and "runs" not in self._waiting.values():
            self._ask(connection, "runs", {})
        if now >= self._next_refresh:
            self._next_refresh = now + refresh_s
        due = self._telemetry_s > 0 and now >= self._next_telemetry
        if due and "telemetry" not in self._waiting.values():
            self._next_telemetry = now + self._telemetry_s
            self._ask(connection, "telemetry", {})

    def take(self, message: Reply | Pushed | Frame, connection: Connection) -> int | None:
        """Take one message; the number of the pong, if it is one.

        Raises:
            ProtocolError: it makes no sense; the connection must be closed.
        """
        if isinstance(message, Frame):
            self._streams.take(message, connection)
        elif isinstance(message, Pushed):
            self._take_pushed(message, connection)
        elif (verb := self._waiting.pop(message.id or 0, "")) == "ping":
            return checked(message.result, "n", (int,)) if message.error is None else None
        elif verb:
            self._take_own(verb, message, connection)
        elif not self._calls.answer(message):
            self._streams.answer(message, cleaned(message))
        return None

    def _ask(self, connection: Connection, verb: str, args: Mapping[str, Any]) -> None:
        self._waiting[connection.send(verb, args)] = verb

    def _take_own(self, verb: str, reply: Reply, connection: Connection) -> None:
        answer = cleaned(reply)
        if verb == "hello":
            self._take_hello(answer, connection)
        elif isinstance(answer, CallError):
            return  # asked for again in the next round
        elif verb == "telemetry":
            self._updates.append(Telemetry(answer))
        elif verb == "runs":
            self._take_runs(answer, connection)

    def _take_hello(self, answer: Mapping[str, Any] | CallError, connection: Connection) -> None:
        if isinstance(answer, CallError):
            self.refusal = answer
            return
        hello, before = HostHello.from_json(answer), self.hello
        if before is not None and before.host_id != hello.host_id:
            self._board.clear()
        self.hello, self.hello_done = hello, True
        self._updates.append(HostSeen(hello, before is not None and before.boot_id != hello.boot_id))
        if hello.proto[0] != PROTO[0]:
            self.refusal = _other_protocol(hello)
        else:
            self._ask(connection, "runs", {})
            self._streams.attach_all(connection)
        self._calls.send(connection)

    def _take_runs(self, answer: Mapping[str, Any], connection: Connection) -> None:
        listed = answer.get("runs")
        if not isinstance(listed, list):
            raise ProtocolError("runs without a list")
        views = self._board.put_all([RunView.from_json(raw) for raw in listed])
        self._updates.append(RunsSeen(views, checked(answer, "wall", (float,))))
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
