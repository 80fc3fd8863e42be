"""What the other end of a link says first: no SSH server says why it turns us away in any other way."""

from typing import Any

KEPT = 1024
GREETING = b"SSH-"
GREETING_WITHIN = 1 << 16


class FirstWords:
    """A socket-like link, whose first bytes are kept; one that never greets is at its end soon."""

    def __init__(self, link: Any) -> None:
        self._link, self._first = link, b""
        self._received, self._last = 0, b""
        self._is_greeted = False

    @property
    def text(self) -> str:
        """What stands before an SSH server's own greeting, and all there is where none came."""
        lines = self._first.decode("utf-8", "replace").splitlines()
        start = next((number for number, line in enumerate(lines) if line.startswith("SSH-")), len(lines))
        return " ".join(line for line in lines[:start] if line.strip()) or " ".join(lines[:1])

    def recv(self, size: int) -> bytes:
        """As the link's."""
        if not self._is_greeted and self._received > GREETING_WITHIN:
            return b""  # no SSH server: who looks for the end of a line that has none looks for ever longer
        data: bytes = self._link.recv(size)
        if not self._is_greeted:
            self._received += len(data)
            self._is_greeted = GREETING in self._last + data
            self._last = data[-len(GREETING) :]
        if len(self._first) < KEPT:
            self._first = (self._first + data)[:KEPT]
        return data

    def __getattr__(self, name: str) -> Any:
        """Everything else is the link's own."""
        return getattr(self._link, name)
