"""A key while ten hosts stream five runs each: until its screen is painted, and what the client pays."""

import fcntl
import json
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
from collections import deque
from collections.abc import Iterator

from benchmarks.figures import Figure, report
from remote.hosts.host import Host
from remote.protocol.results import HostLoad
from remote.protocol.views import HostHello, RunView
from remote.session.link.link_state import LinkState
from remote.session.updates import Bytes, HostSeen, LinkChanged, RunsSeen, Telemetry, Update

HOSTS, RUNS, ROWS_A_S, LINES_A_S = 10, 5, 8.0, 200.0
LINE = b"    20 |  56.769 |  56.660 |  0.1086 | 0.0566 |   0.878\n"
PRESSES, WARM_S, DEADLINE_S = 60, 4.0, 20.0
CHILD = "from benchmarks.fleet import child; child()"
SCREENS = ((b"8", b"platform"), (b"1", b"u_val"))


class Stream:
    """A session that never stops talking: every run has rows of metrics and lines of a log."""

    def __init__(self, number: int) -> None:
        self.host = Host(f"host-{number:02d}", "" if number == 0 else f"host-{number:02d}")
        self.read_only = False
        self._keys: dict[int, tuple[str, str]] = {}
        self._last: dict[int, float] = {}
        self._step: dict[str, int] = {}
        self._box: deque[Update] = deque()

    def start(self) -> "Stream":
        """Up, with its runs."""
        now, wall = time.monotonic(), time.time()
        hello = HostHello(
            proto=(1, 0), version="0", host_id="h", boot_id="b", agent_epoch="e", wall=wall, pid=1,
            platform="Linux", python="3.11", devices=("cpu", "cuda-0"),
        )  # fmt: skip
        views = tuple(_view(self.host.name, number, wall) for number in range(RUNS))
        self._box += [
            LinkChanged(LinkState("connected", 0.02, now, 0)),
            HostSeen(hello),
            RunsSeen(views, wall),
        ]
        return self

    def close(self) -> None:
        """Nothing to close."""

    def reconnect_now(self) -> None:
        """Always up."""

    def follow(self, run_id: str, what: str = "log", *_: object, **__: object) -> int:
        """Bytes of a file from now on."""
        key = len(self._keys) + 1
        self._keys[key], self._last[key] = (run_id, what), time.monotonic()
        return key

    def unfollow(self, key: int) -> None:
        """No longer."""
        self._keys.pop(key, None)

    def drain(self, limit: int = 1000) -> list[Update]:
        """What was said since the last time."""
        if not self._box:
            self._box += self._said()
        return [self._box.popleft() for _ in range(min(limit, len(self._box)))]

    def _said(self) -> Iterator[Update]:
        now = time.monotonic()
        if any(now - at < 0.2 for at in self._last.values()):
            return
        yield Telemetry(HostLoad(cpu_percent=40.0, mem_used=6e9, mem_total=24e9))
        for key, (run_id, what) in self._keys.items():
            passed, self._last[key] = now - self._last[key], now
            if what == "log":
                data = b"    20 |  56.769 |  56.660 |  0.1086 | 0.0566 |   0.878\n" * round(
                    passed * LINES_A_S
                )
            else:
                data = b"".join(self._row(run_id) for _ in range(round(passed * ROWS_A_S)))
            yield Bytes(key, run_id, what, 1, 0, data, "001.log")

    def _row(self, run_id: str) -> bytes:
        step = self._step[run_id] = self._step.get(run_id, 0) + 1
        values = {
            "ce": 2.0 + 1 / step,
            "total": 2.1,
            "u_val": 1.0,
            "R": 0.3,
            "grad_norm": 1.2,
            "step_ms": 125.0,
        }
        row = {"type": "metrics", "seq": step, "attempt": 1, "t": time.time(), "step": step, **values}
        return json.dumps(row).encode() + b"\n"


def _view(host: str, number: int, wall: float) -> RunView:
    return RunView(
        run_id=f"{host}-run-aaaaa{number}", name="run", kind="trainer", state="running", seq=3, attempt=1,
        reason="", code=None, signal=None, device="cuda-0", preset="kssm-v3-tiny", since=wall, created=wall,
        max_steps=100_000, pid=42, supervisor_pid=41, resumable=False, why_not="it is running",
        last_checkpoint=None, log_file="001.log", dir="/somewhere", start_id="s",
    )  # fmt: skip


def child() -> None:
    """The cockpit on the streams, in the terminal that it was given."""
    from tui.commands.cockpit import run_cockpit

    run_cockpit([Stream(number) for number in range(HOSTS)])  # type: ignore[misc]


class Terminal:
    """A cockpit in a pseudo-terminal of its own, and what it writes."""

    def __init__(self, home: str) -> None:
        self.pid, self._fd = pty.fork()
        if self.pid == 0:
            os.environ |= {"PHOTINUS_HOME": home, "TERM": "xterm-256color", "COLORTERM": "truecolor"}
            os.execv(sys.executable, [sys.executable, "-P", "-c", CHILD])
        fcntl.ioctl(self._fd, termios.TIOCSWINSZ, struct.pack("HHHH", 50, 160, 0, 0))

    def listen(self, seconds: float, until: bytes = b"") -> bool:
        """Read what it paints for so long, or until this word; whether it came."""
        end, seen = time.perf_counter() + seconds, b""
        while (left := end - time.perf_counter()) > 0:
            ready, _, _ = select.select([self._fd], [], [], left)
            if ready:
                seen += os.read(self._fd, 1 << 16)
                if until and until in seen:
                    return True
        return False

    def press(self, key: bytes) -> None:
        """Type a key."""
        os.write(self._fd, key)

    def used_s(self) -> float:
        """Seconds of processor that it has used."""
        import psutil

        times = psutil.Process(self.pid).cpu_times()
        return times.user + times.system

    def memory(self) -> int:
        """Bytes that it holds."""
        import psutil

        return psutil.Process(self.pid).memory_info().rss

    def close(self) -> None:
        """End it."""
        os.kill(self.pid, signal.SIGKILL)
        os.waitpid(self.pid, 0)
        os.close(self._fd)


def measured(terminal: Terminal) -> tuple[list[float], float, int]:
    """Seconds from a key to its screen, the share of a core while nobody presses one, and bytes held."""
    if not terminal.listen(DEADLINE_S, b"host-09"):
        raise TimeoutError(f"no fleet within {DEADLINE_S:.0f} s")
    terminal.listen(WARM_S)
    before, begun = terminal.used_s(), time.perf_counter()
    terminal.listen(2 * WARM_S)
    busy = (terminal.used_s() - before) / (time.perf_counter() - begun)
    times = []
    for number in range(PRESSES):
        key, word = SCREENS[number % 2]
        pressed = time.perf_counter()
        terminal.press(key)
        if not terminal.listen(DEADLINE_S, word):
            raise TimeoutError(f"{key!r} showed no {word!r}")
        times.append(time.perf_counter() - pressed)
        terminal.listen(0.05 + 0.013 * (number % 7))  # not in step with the cockpit's own timer
    return times, busy, terminal.memory()


def main() -> None:
    """Measure."""
    with tempfile.TemporaryDirectory(prefix="photinus-fleet-") as home:
        terminal = Terminal(home)
        try:
            times, busy, memory = measured(terminal)
        finally:
            terminal.close()
    p95 = statistics.quantiles(times, n=20)[-1]
    what = f"{HOSTS} hosts x {RUNS} runs streaming"
    report(
        [
            Figure(f"key to paint, median, {what}", 1000 * statistics.median(times), "ms", n=PRESSES),
            Figure(f"key to paint, p95, {what}", 1000 * p95, "ms", 50.0, n=PRESSES),
            Figure(f"share of a core, {what}", 100 * busy, "%", 30.0),
            Figure(f"memory, {what}", memory / 1e6, "MB", 120.0),
        ]
    )


if __name__ == "__main__":
    main()
