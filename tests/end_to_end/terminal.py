"""A real terminal for the cockpit: a pseudo-terminal whose screen is read as a person would read it."""

import fcntl
import os
import pty
import re
import select
import signal
import struct
import termios
import time
from collections.abc import Mapping, Sequence
from types import TracebackType

ESCAPES = re.compile(rb"\x1b\[[0-9;?>=]*[ -/]*[@-~]|\x1b\][^\x07\x1b]*(?:\x07|\x1b\\)|\x1b[=>()][A-B0-2]?")


class Terminal:
    """A program in a pseudo-terminal; `text` is everything it has painted, without escape sequences."""

    def __init__(
        self, argv: Sequence[str], env: Mapping[str, str], columns: int = 160, rows: int = 50
    ) -> None:
        self.text = ""
        self.raw = b""  # every byte that it was sent
        self.pid, self._fd = pty.fork()
        if self.pid == 0:
            os.execve(argv[0], list(argv), {**env, "TERM": "xterm-256color"})
        fcntl.ioctl(self._fd, termios.TIOCSWINSZ, struct.pack("HHHH", rows, columns, 0, 0))

    def __enter__(self) -> "Terminal":
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        try:
            os.kill(self.pid, signal.SIGKILL)
            os.waitpid(self.pid, 0)
        except (ProcessLookupError, ChildProcessError):
            pass
        os.close(self._fd)

    def type(self, keys: str) -> None:
        """Press keys; what was painted before is forgotten."""
        self.text = ""
        os.write(self._fd, keys.encode())

    def see(self, words: str, timeout: float = 30.0) -> str:
        """Read until `words` have been painted; everything painted since the last key."""
        deadline = time.monotonic() + timeout
        while words not in self.text:
            left = deadline - time.monotonic()
            if left <= 0 or not self._read(left):
                raise TimeoutError(
                    f"{words!r} was not painted within {timeout:.0f} s; the end: {self.text[-2000:]!r}"
                )
        return self.text

    def leave(self, timeout: float = 20.0) -> int:
        """Read to the end of the program; its exit code."""
        deadline = time.monotonic() + timeout
        while self._read(max(0.0, deadline - time.monotonic())):
            pass
        return os.waitstatus_to_exitcode(os.waitpid(self.pid, 0)[1])

    def _read(self, timeout: float) -> bool:
        if not select.select([self._fd], [], [], timeout)[0]:
            return False
        try:
            data = os.read(self._fd, 1 << 16)
        except OSError:  # Linux reports the other side's end as EIO
            return False
        self.raw += data
        self.text += ESCAPES.sub(b" ", data).decode("utf-8", "replace")
        return bool(data)
