"""The link to `local`: a round trip, a line from the host's disk to the client, and bytes a second."""

import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

from benchmarks.figures import Figure, report, seconds
from remote.actions import StartRequest, kill_run, start_run, wait_for
from remote.hosts.host import Host
from remote.session.session import Session, connect
from remote.session.updates import Bytes
from tests.remote.calling import call

PINGS = 200
LINES = 60
BULK = 64 << 20

WAITER = "import signal; signal.pause()"
BULK_WRITER = f"import sys\nfor _ in range({BULK >> 20}): sys.stdout.buffer.write(b'x' * 1048575 + b'\\n')"


def run_of(session: Session, name: str, program: str) -> str:
    """A run of a Python one-liner; its id."""
    request = StartRequest(
        name=name, kind="command", argv=(sys.executable, "-c", program), shared_device=True
    )
    outcome = start_run(session, request)
    assert outcome.run is not None, outcome.message
    return outcome.run.run_id


def received(session: Session, enough: Callable[[int], bool]) -> int:
    """Drain until so many bytes have come."""
    count = 0
    while not enough(count):
        count += sum(len(update.data) for update in session.drain() if isinstance(update, Bytes))
        time.sleep(0.0005)
    return count


def line_latency(session: Session, home: Path) -> float:
    """Median seconds from a line's write to its arrival at the client."""
    run_id = run_of(session, "latency", WAITER)
    session.follow(run_id, "log")
    with (home / "runs" / run_id / "log" / "001.log").open("ab", buffering=0) as log:
        log.write(b"first\n")
        received(session, lambda n: n >= 6)

        def write_and_receive() -> None:
            log.write(b"line\n")
            received(session, lambda n: n >= 5)

        taken = [seconds(write_and_receive) for _ in range(LINES)]
    kill_run(session, run_id)
    return statistics.median(taken)


def tail_latency(folder: Path) -> float:
    """Median seconds from a line's write to its arrival through `tail -F` and a pipe."""
    path = folder / "plain.log"
    path.touch()
    with (
        path.open("ab", buffering=0) as log,
        subprocess.Popen(["tail", "-n", "0", "-F", str(path)], stdout=subprocess.PIPE) as tail,
    ):
        assert tail.stdout is not None
        os.set_blocking(tail.stdout.fileno(), False)

        def write_and_receive() -> None:
            log.write(b"line\n")
            while not (tail.stdout and tail.stdout.read()):
                time.sleep(0.0005)

        write_and_receive()
        taken = [seconds(write_and_receive) for _ in range(LINES)]
        tail.terminate()
    return statistics.median(taken)


def bare_python() -> float:
    """Median seconds of `python -c pass`."""
    return statistics.median(
        seconds(lambda: subprocess.run([sys.executable, "-c", "pass"])) for _ in range(5)
    )


def bulk_rate(session: Session) -> float:
    """MB/s of a finished log, from the host's disk into the client."""
    run_id = run_of(session, "bulk", BULK_WRITER)
    wait_for(session, run_id, lambda view: view.is_terminal, 60.0)

    def fetch() -> None:
        session.follow(run_id, "log", last=BULK)
        received(session, lambda n: n >= BULK)

    return BULK / 1e6 / seconds(fetch)


def main() -> None:
    """Measure on a state root of its own."""
    with tempfile.TemporaryDirectory() as folder:
        home = Path(folder) / "home"
        os.environ["PHOTINUS_HOME"] = str(home)
        begun = time.perf_counter()
        session = connect(Host("local"))
        connected = time.perf_counter() - begun
        try:
            pings = [seconds(lambda: call(session, "ping", {"n": 1})) for _ in range(PINGS)]
            line, by_tail = line_latency(session, home), tail_latency(Path(folder))
            figures = [
                Figure(
                    "agent spawned and hello answered",
                    1e3 * connected,
                    "ms",
                    baseline="python -c pass",
                    ratio=connected / bare_python(),
                ),
                Figure("round trip of a verb", 1e3 * statistics.median(pings), "ms", n=PINGS),
                Figure(
                    "line on disk to the client, median",
                    1e3 * line,
                    "ms",
                    25.0,
                    n=LINES,
                    baseline="tail -F",
                    ratio=line / by_tail,
                ),
                Figure("log bytes to the client", bulk_rate(session), "MB/s", less_is_better=False),
            ]
        finally:
            session.close()
    report(figures)


if __name__ == "__main__":
    main()
