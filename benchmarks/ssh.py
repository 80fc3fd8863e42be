"""The link over SSH beside `ssh host tail -F`: a line's way, bytes a second, and a start far away."""

import os
import random
import statistics
import subprocess
import time
from pathlib import Path
from typing import IO

from benchmarks.figures import Figure, report, seconds
from benchmarks.ssh_stage import SshStage, bytes_of, script, ssh_stage
from remote.actions import StartRequest, start_run
from remote.session.session import Session, connect
from tests.remote.calling import call
from tests.sshd.delay import DelayProxy

PINGS = 200
LINES = 300
BULK = 64 << 20
ROUNDS = 3
STARTS = 9
FAR_S = 0.075
WAITER = "import signal; signal.pause()"
BULK_WRITER = f"import sys\nfor _ in range({BULK >> 20}): sys.stdout.buffer.write(b'x' * 1048575 + b'\\n')"


def tail_words(stage: SshStage, path: Path, *flags: str) -> list[str]:
    return stage.sshd.ssh_argv("plain", "tail", *flags, "-F", str(path))


def line_latencies(stage: SshStage, session: Session) -> tuple[list[float], list[float]]:
    """Seconds from a line's write on the host to the client, ours and `tail -F`'s, in turns."""
    run_id = script(session, "latency", WAITER)
    session.follow(run_id)
    ours, theirs = list[float](), list[float]()
    words = tail_words(stage, stage.log(run_id), "-n", "0")
    with (
        stage.log(run_id).open("ab", buffering=0) as log,
        subprocess.Popen(words, stdout=subprocess.PIPE, bufsize=0) as tail,
    ):
        assert tail.stdout is not None
        wait_for_tail(log, session, tail.stdout)
        for _ in range(LINES):
            time.sleep(random.uniform(0.005, 0.045))  # no phase of anybody's polling is met more than another
            begun = time.perf_counter()
            log.write(b"a line of a log, as long as they are\n")
            while not bytes_of(session):
                time.sleep(0.0002)
            ours.append(time.perf_counter() - begun)
            tail.stdout.readline()
            time.sleep(random.uniform(0.005, 0.045))
            begun = time.perf_counter()
            log.write(b"a line of a log, as long as they are\n")
            tail.stdout.readline()
            theirs.append(time.perf_counter() - begun)
            while not bytes_of(session):
                time.sleep(0.0002)
        tail.terminate()
    call(session, "kill", {"run_id": run_id, "req_id": "k1"}, 20.0)
    return ours, theirs


def wait_for_tail(log: IO[bytes], session: Session, tail: IO[bytes]) -> None:
    """Until both are listening, and neither has anything left to say."""
    log.write(b"first\n")
    while not bytes_of(session):
        time.sleep(0.001)
    time.sleep(1.0)  # tail prints nothing when it is ready
    log.write(b"second\n")
    while tail.readline() != b"second\n":
        pass
    while not bytes_of(session):
        time.sleep(0.001)


def bulk_rates(stage: SshStage, session: Session) -> tuple[list[float], list[float]]:
    """MB/s of a finished log into a file on the client, ours and `tail -F`'s, in turns."""
    run_id = script(session, "bulk", BULK_WRITER)
    assert session.wait_run(run_id, lambda run: run.is_terminal, 60.0)
    target = stage.folder / "mirror"

    def mirror() -> None:
        key = session.follow(run_id, last=BULK)
        count = 0
        with target.open("wb", buffering=0) as file:
            while count < BULK:
                if data := bytes_of(session):
                    count += file.write(data)
                else:
                    time.sleep(0.0005)
        session.unfollow(key)

    def tail() -> None:
        count = 0
        words = tail_words(stage, stage.log(run_id), "-c", "+1")
        with target.open("wb", buffering=0) as file, subprocess.Popen(words, stdout=subprocess.PIPE) as other:
            assert other.stdout is not None
            while count < BULK:
                count += file.write(os.read(other.stdout.fileno(), 1 << 16))
            other.terminate()

    pairs = [(seconds(mirror), seconds(tail)) for _ in range(ROUNDS)]
    return [BULK / 1e6 / ours for ours, _ in pairs], [BULK / 1e6 / theirs for _, theirs in pairs]


def far_start(stage: SshStage) -> float:
    """Seconds that a start's protocol takes over a link with 75 ms in each direction.

    The start is known already: the same messages and the same checks, and no process is forked.
    """
    request = StartRequest(name="far", kind="command", argv=("/bin/true",), run_id="far-aaaaaa")
    with (
        DelayProxy(stage.sshd.port, FAR_S) as road,
        connect(stage.another("far", road.port), timeout=20.0) as session,
    ):
        taken = []
        for _ in range(1 + STARTS):
            begun = time.perf_counter()
            outcome = start_run(session, request)
            taken.append(time.perf_counter() - begun)
            assert outcome.ok, outcome.message
    return statistics.median(taken[1:])


def p99(values: list[float]) -> float:
    return sorted(values)[int(0.99 * len(values))]


def main() -> None:
    """Measure on a server of its own."""
    with ssh_stage() as stage:
        begun = time.perf_counter()
        with connect(stage.host, timeout=20.0) as session:
            connected = time.perf_counter() - begun
            pings = [seconds(lambda: call(session, "ping", {"n": 1})) for _ in range(PINGS)]
            ours, theirs = line_latencies(stage, session)
            mirror, tail = bulk_rates(stage, session)
        far = far_start(stage)
    rate = statistics.median(mirror) / statistics.median(tail)
    line = statistics.median(ours)
    aside = line / statistics.median(theirs)
    report(
        [
            Figure("SSH: connected, agent spawned, hello answered", 1e3 * connected, "ms"),
            Figure("SSH: round trip of a verb", 1e3 * statistics.median(pings), "ms", n=PINGS),
            Figure("SSH: line on the host to the client, median", 1e3 * line, "ms", 25.0, n=LINES,
                   baseline="ssh tail -F", ratio=aside),
            Figure("SSH: line on the host to the client, p99", 1e3 * p99(ours), "ms", 60.0, n=LINES,
                   baseline="ssh tail -F", ratio=p99(ours) / p99(theirs)),
            Figure("SSH: log into the mirror, MB/s", statistics.median(mirror), "MB/s", n=ROUNDS,
                   less_is_better=False, baseline="ssh tail -F", ratio=rate),
            Figure("SSH: log into the mirror beside tail -F", rate, "x", 0.5, less_is_better=False, n=ROUNDS),
            Figure("SSH: a start at 75 ms each way, fork aside", 1e3 * far, "ms", 250.0, n=STARTS),
        ]
    )  # fmt: skip


if __name__ == "__main__":
    main()
