"""Lines and byte frames out of whatever chunks a pipe delivers."""

from dataclasses import dataclass

from remote.protocol.errors import ProtocolError
from remote.protocol.messages import LINE_LIMIT, MAGIC, BytesHeader, Pushed, Reply, decode_message

NOISE_LIMIT = 1 << 16


@dataclass(frozen=True, slots=True)
class Frame:
    """Raw bytes of a followed file."""

    header: BytesHeader
    data: bytes


class LineBuffer:
    """The agent's ear: complete lines out of chunks."""

    def __init__(self) -> None:
        self._held = bytearray()
        self._scanned = 0

    def feed(self, data: bytes) -> list[bytes]:
        """The lines that `data` completes, without their newline.

        Raises:
            ProtocolError: a line passes the limit; the stream cannot be read on.
        """
        self._held += data
        lines: list[bytes] = []
        while (line := self.take_line()) is not None:
            lines.append(line)
        return lines

    def take_line(self) -> bytes | None:
        """The next complete line, or None.

        Raises:
            ProtocolError: a line passes the limit.
        """
        end = self._held.find(b"\n", self._scanned)
        if end < 0:
            self._scanned = len(self._held)
        if (end if end >= 0 else self._scanned) > LINE_LIMIT:
            raise ProtocolError(f"a line longer than {LINE_LIMIT} bytes")
        if end < 0:
            return None
        line = bytes(self._held[:end])
        del self._held[: end + 1]
        self._scanned = 0
        return line

    @property
    def held(self) -> bytes:
        """What was taken and not handed out yet."""
        return bytes(self._held)

    def add(self, data: bytes) -> None:
        """Take a chunk without looking for lines in it yet."""
        self._held += data

    def take_bytes(self, n: int) -> bytes | None:
        """The next `n` raw bytes, or None while they are not all here."""
        if len(self._held) < n:
            return None
        data = bytes(self._held[:n])
        del self._held[:n]
        self._scanned = 0
        return data

    def skip_to_magic(self) -> bytes | None:
        """Drop what stands before the agent's first line: that noise, or None while the line is not here.

        Raises:
            ProtocolError: 64 KiB of noise and no agent.
        """
        start = self._held.find(MAGIC)
        if start < 0:
            if len(self._held) > NOISE_LIMIT:
                raise ProtocolError("no agent answered: the host's shell printed 64 KiB of something else")
            return None
        noise = bytes(self._held[:start])
        del self._held[:start]
        self._scanned = 0
        return noise


class FrameReader:
    """The client's ear: noise until the agent's magic line, then messages and byte frames."""

    def __init__(self) -> None:
        self._buffer = LineBuffer()
        self._header: BytesHeader | None = None
        self._awake = False
        self.noise = b""

    @property
    def is_awake(self) -> bool:
        """Whether the agent's first line has come."""
        return self._awake

    @property
    def unheard(self) -> bytes:
        """What came instead of the agent's first line so far."""
        return b"" if self._awake else self._buffer.held

    def feed(self, data: bytes) -> list[Reply | Pushed | Frame]:
        """What `data` completes.

        Raises:
            ProtocolError: the other end is no agent, or broken; close the link.
        """
        self._buffer.add(data)
        if not self._awake:
            noise = self._buffer.skip_to_magic()
            if noise is None:
                return []
            self._awake, self.noise = True, noise
        messages: list[Reply | Pushed | Frame] = []
        while (message := self._next()) is not None:
            messages.append(message)
        return messages

    def _next(self) -> Reply | Pushed | Frame | None:
        if self._header is None:
            line = self._buffer.take_line()
            if line is None:
                return None
            message = decode_message(line)
            if not isinstance(message, BytesHeader):
                return message
            self._header = message
        data = self._buffer.take_bytes(self._header.n)
        if data is None:
            return None
        header, self._header = self._header, None
        return Frame(header, data)
