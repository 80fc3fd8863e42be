"""One connection to one agent: threads that read, write and drain, and never decide anything."""

import queue
import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, TypeAlias

from remote.errors import ProtocolError
from remote.framing import Frame, FrameReader
from remote.protocol import Pushed, Reply, encode_request
from remote.sanitise import clean
from remote.transport import Transport

TALK_LIMIT = 4096


@dataclass(frozen=True, slots=True)
class Heard:
    """Messages that one read completed."""

    messages: tuple[Reply | Pushed | Frame, ...]


@dataclass(frozen=True, slots=True)
class Talk:
    """Text on the agent's stderr, or noise before its first line."""

    text: str


@dataclass(frozen=True, slots=True)
class Ended:
    """Nothing more will be heard."""

    reason: str


Sound: TypeAlias = Heard | Talk | Ended


class Connection:
    """Calls `on_sound(self, sound)` from its own threads."""

    def __init__(self, transport: Transport, on_sound: Callable[["Connection", Sound], None]) -> None:
        self._transport = transport
        self._on_sound = on_sound
        self._out: queue.SimpleQueue[bytes | None] = queue.SimpleQueue()
        self._next_id = 0
        self.last_talk = ""
        self._threads = [
            threading.Thread(target=work, name=f"photinus-{work.__name__.strip('_')}", daemon=True)
            for work in (self._read, self._write, self._drain)
        ]

    def start(self) -> None:
        """Start the threads."""
        for thread in self._threads:
            thread.start()

    def send(self, verb: str, args: Mapping[str, Any]) -> int:
        """Queue a request and return its id; never blocks.

        Raises:
            TypeError, ValueError: the arguments are no JSON.
        """
        self._next_id += 1
        self._out.put(encode_request(self._next_id, verb, args))
        return self._next_id

    def close(self) -> str:
        """End the agent and the threads; how it ended."""
        self._out.put(None)
        return self._transport.close()

    def _read(self) -> None:
        reader = FrameReader()
        reason = "the link was closed at the other end"
        try:
            while data := self._transport.read():
                messages = reader.feed(data)
                if reader.noise:
                    self._say(reader.noise)
                    reader.noise = b""
                if messages:
                    self._on_sound(self, Heard(tuple(messages)))
        except ProtocolError as error:
            reason = f"not understood: {error}"
        except (OSError, ValueError) as error:  # ValueError: the pipe was closed by us meanwhile
            reason = f"the link broke: {error}"
        self._on_sound(self, Ended(reason))

    def _write(self) -> None:
        try:
            while (line := self._out.get()) is not None:
                self._transport.write(line)
        except (OSError, ValueError) as error:
            self._on_sound(self, Ended(f"the link broke: {error}"))

    def _drain(self) -> None:
        try:
            while data := self._transport.talk():
                self._say(data)
        except (OSError, ValueError):
            return  # its end is told by the reader

    def _say(self, data: bytes) -> None:
        text = clean(data.decode("utf-8", "replace"))[:TALK_LIMIT]
        if text.strip():
            self.last_talk = text.strip().splitlines()[-1]
            self._on_sound(self, Talk(text))
