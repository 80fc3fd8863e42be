"""From exec to the first painted screen of the cockpit, in a pseudo-terminal of its own. Prints JSON."""

import fcntl
import json
import os
import pty
import select
import signal
import struct
import sys
import tempfile
import termios
import time
from pathlib import Path

TRIES = 5
DEADLINE_S = 20.0
PAINTED = (b"Photinus", b"connecting")
COCKPIT = """
import sys
from remote.hosts import load_hosts
from remote.session import Session
from tui.app import run_cockpit
run_cockpit([Session(host) for host in load_hosts()])
"""


def first_paint(home: str) -> float:
    """Seconds until the Fleet screen has reached the terminal."""
    begun = time.perf_counter()
    pid, fd = pty.fork()
    if pid == 0:
        os.environ |= {"PHOTINUS_HOME": home, "TERM": "xterm-256color", "COLORTERM": "truecolor"}
        os.execv(sys.executable, [sys.executable, "-P", "-c", COCKPIT])
    fcntl.ioctl(fd, termios.TIOCSWINSZ, struct.pack("HHHH", 50, 160, 0, 0))
    seen = b""
    try:
        while not all(word in seen for word in PAINTED):
            ready, _, _ = select.select([fd], [], [], DEADLINE_S)
            if not ready or time.perf_counter() - begun > DEADLINE_S:
                raise TimeoutError(f"no paint within {DEADLINE_S:.0f} s; the terminal got {seen[-400:]!r}")
            seen += os.read(fd, 65536)
        return time.perf_counter() - begun
    finally:
        os.kill(pid, signal.SIGKILL)
        os.waitpid(pid, 0)
        os.close(fd)


def main() -> int:
    with tempfile.TemporaryDirectory(prefix="photinus-paint-") as folder:
        times = sorted(first_paint(str(Path(folder) / "home")) for _ in range(TRIES))
    result = {
        "benchmark": "first_paint",
        "best_s": round(times[0], 3),
        "median_s": round(times[TRIES // 2], 3),
        "budget_s": 0.7,
    }
    sys.stdout.write(json.dumps(result) + "\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
