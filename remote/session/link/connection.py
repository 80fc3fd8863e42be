"""One connection to one agent: threads that read, write and drain, and never decide anything."""

import queue
import threading
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, TypeAlias, TypeVar

from remote.protocol.arguments import VerbArgs, as_sent
from remote.protocol.errors import CallError, ProtocolError, UnreachableError
from remote.protocol.framing import Frame, FrameReader
from remote.protocol.messages import LINE_LIMIT, Pushed, Reply, encode_request
from remote.protocol.sanitise import clean
from remote.protocol.verbs import Verb
from remote.transport.base import AgentExit, Transport
from remote.transport.sftp import Carrier, Sftp

A = TypeVar("A", bound=VerbArgs)
TALK_LIMIT = 4096
LAST_WORDS_S = 0.5
AHEAD_MAX = 64  # reads that wait for the session's thread; then the host waits


@dataclass(frozen=True, slots=True)
class MessagesReceived:
    """Messages that one read completed."""

    messages: tuple[Reply | Pushed | Frame, ...]


@dataclass(frozen=True, slots=True)
class StderrText:
    """Text on the agent's stderr, or noise before its first line."""

    text: str


@dataclass(frozen=True, slots=True)
class ConnectionClosed:
    """Nothing more will be heard.

    Attributes:
        reason: why we stopped listening.
        ending: how the agent ended.
        was_awake: it had said its first line.
        last_talk: the last line of its stderr; noise: the last line that a shell printed in its stead.
    """

    reason: str
    ending: AgentExit
    was_awake: bool = True
    last_talk: str = ""
    noise: str = ""

    def __str__(self) -> str:
        """All of it, in a sentence's end."""
        output = self.last_talk or self.noise
        return f"{self.reason} ({self.ending.text}{f': {output}' if output else ''})"


ConnectionEvent: TypeAlias = MessagesReceived | StderrText | ConnectionClosed


class Connection:
    """Calls `on_sound(self, sound)` from its own threads."""

    def __init__(
        self, transport: Transport, on_sound: Callable[["Connection", ConnectionEvent], None]
    ) -> None:
        self._transport = transport
        self._on_sound = on_sound
        self._reader = FrameReader()
        self._out: queue.SimpleQueue[bytes | None] = queue.SimpleQueue()
        self._next_id = 0
        self._last_talk = ""
        self._ahead = threading.Semaphore(AHEAD_MAX)
        self._is_closing = False
        self._may_send = threading.Event()
        self._drainer, *self._others = [
            threading.Thread(target=work, name=f"photinus-{work.__name__.strip('_')}", daemon=True)
            for work in (self._drain, self._read, self._write)
        ]

    def start(self) -> None:
        """Start the threads."""
        for thread in (self._drainer, *self._others):
            thread.start()

    def send(self, verb: Verb[A, Any], args: A) -> int:
        """Queue a request and return its id; never blocks.

        Raises:
            TypeError, ValueError: the arguments are no JSON, or no line of the wire holds them.
        """
        line = encode_request(self._next_id + 1, verb.name, as_sent(args))
        if len(line) > LINE_LIMIT:  # the agent would end the connection, and so would the next one
            raise ValueError(f"they take {len(line):,} bytes, and a line has {LINE_LIMIT:,}")
        self._next_id += 1
        self._out.put(line)
        return self._next_id

    def sftp(self) -> Sftp:
        """An SFTP channel beside the agent's. Waits for the host: not for the session's own thread.

        Raises:
            UnreachableError: the link broke, or the host offers no SFTP.
            CallError: `refused`: there is none on this machine itself; `timeout`: all channels stayed in use.
        """
        if not isinstance(self._transport, Carrier):
            raise CallError(
                "refused", "this machine is reached by a pipe: there is no SFTP", "copy the files"
            )
        try:
            return self._transport.sftp()
        except OSError as error:
            raise UnreachableError(f"no channel for files: {error}", "check the link, try again") from None

    def close(self) -> threading.Thread:
        """End the agent and the threads, without waiting; the thread that waits for the agent's end."""
        self._is_closing = True
        self._end_writer()
        thread = threading.Thread(target=self._transport.close, name="photinus-close", daemon=True)
        thread.start()
        return thread

    @property
    def is_awake(self) -> bool:
        """Whether the agent has said its first line."""
        return self._reader.is_awake

    @property
    def noise(self) -> str:
        """The last line that came instead of the agent's first."""
        return _last_line(_cleaned(self._reader.unheard))

    def _read(self) -> None:
        reader, reason = self._reader, "the link was closed at the other end"
        try:
            while data := self._transport.read():
                messages = reader.feed(data)
                if reader.noise:
                    self._say(reader.noise)
                    reader.noise = b""
                if reader.is_awake:
                    self._may_send.set()
                if messages:
                    self._hand_over(MessagesReceived(tuple(messages)))
        except ProtocolError as error:
            reason = f"not understood: {error}"
        except (OSError, ValueError) as error:  # ValueError: the pipe was closed by us meanwhile
            reason = f"the link broke: {error}"
        self._drainer.join(LAST_WORDS_S)  # what it said last is worth hearing before the end is told
        self._end_writer()
        ending = self._transport.close()
        self._on_sound(self, ConnectionClosed(reason, ending, reader.is_awake, self._last_talk, self.noise))

    def _write(self) -> None:
        self._may_send.wait()  # until the agent's first line: before it, a shell may be what reads
        try:
            while (line := self._out.get()) is not None and self._reader.is_awake:
                self._transport.write(line)
        except (OSError, ValueError):
            self._transport.close()  # then the reader ends, and tells

    def _end_writer(self) -> None:
        self._out.put(None)
        self._may_send.set()

    def _drain(self) -> None:
        try:
            while data := self._transport.talk():
                self._say(data)
        except (OSError, ValueError):
            return  # its end is told by the reader

    def _say(self, data: bytes) -> None:
        text = _cleaned(data)
        if text.strip():
            self._last_talk = _last_line(text)
            self._hand_over(StderrText(text))

    def took(self) -> None:
        """The session's thread has taken one `MessagesReceived` or `StderrText`."""
        self._ahead.release()

    def _hand_over(self, sound: MessagesReceived | StderrText) -> None:
        """Tell it, and wait where too much is untaken: what is not read is held back at the host."""
        while not self._ahead.acquire(timeout=LAST_WORDS_S):
            if self._is_closing:
                return
        self._on_sound(self, sound)


def _cleaned(data: bytes) -> str:
    return clean(data[-(1 << 16) :].decode("utf-8", "replace"))[:TALK_LIMIT]


def _last_line(text: str) -> str:
    return text.strip().splitlines()[-1][:400] if text.strip() else ""
