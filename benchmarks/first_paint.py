"""From exec to the first painted screen: the cockpit beside a bare Textual hello, in pseudo-terminals."""

import fcntl
import os
import pty
import select
import signal
import statistics
import struct
import sys
import tempfile
import termios
import time
from collections.abc import Sequence
from pathlib import Path

from benchmarks.figures import Figure, report

TRIES = 5
DEADLINE_S = 20.0
PAINTED = (b"Photinus", b"connecting")
HELLO = """
from textual.app import App
from textual.widgets import Static
class Hello(App):
    def compose(self):
        yield Static("hello from a bare app")
Hello().run()
"""
COCKPIT = """
import sys
from remote.hosts.lookup import load_hosts
from remote.session.session import Session
from tui.commands.cockpit import run_cockpit
run_cockpit([Session(host) for host in load_hosts()])
"""


def first_paint(home: str, program: str = COCKPIT, painted: Sequence[bytes] = PAINTED) -> float:
    """Seconds until the first screen of a program has reached the terminal."""
    begun = time.perf_counter()
    pid, fd = pty.fork()
    if pid == 0:
        os.environ |= {"PHOTINUS_HOME": home, "TERM": "xterm-256color", "COLORTERM": "truecolor"}
        os.execv(sys.executable, [sys.executable, "-P", "-c", program])
    fcntl.ioctl(fd, termios.TIOCSWINSZ, struct.pack("HHHH", 50, 160, 0, 0))
    seen = b""
    try:
        while not all(word in seen for word in painted):
            ready, _, _ = select.select([fd], [], [], DEADLINE_S)
            if not ready or time.perf_counter() - begun > DEADLINE_S:
                raise TimeoutError(f"no paint within {DEADLINE_S:.0f} s; the terminal got {seen[-400:]!r}")
            seen += os.read(fd, 65536)
        return time.perf_counter() - begun
    finally:
        os.kill(pid, signal.SIGKILL)
        os.waitpid(pid, 0)
        os.close(fd)


def main() -> None:
    """Measure."""
    with tempfile.TemporaryDirectory(prefix="photinus-paint-") as folder:
        home = str(Path(folder) / "home")
        pairs = [(first_paint(home), first_paint(home, HELLO, (b"bare",))) for _ in range(TRIES)]
    ours, bare = (statistics.median(times) for times in zip(*pairs, strict=True))
    report(
        [
            Figure(
                "first paint of the cockpit after exec",
                ours,
                "s",
                0.7,
                n=TRIES,
                baseline="a bare Textual hello",
                ratio=ours / bare,
            )
        ]
    )


if __name__ == "__main__":
    main()
