"""How soon the trainer speaks, how soon it refuses a bad configuration, and what an event costs."""

import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

from benchmarks.figures import Figure, median_seconds, report, seconds
from trainer.telemetry.write import EventWriter

STARTS = 9
LINES = 20_000
NAMES = "total ce reg R coherence u_val u_low u_high grad_norm lr tokens tokens_per_s step_ms eta_s overhead"


def trainer(*words: str) -> list[str]:
    """The command line of the trainer."""
    return [sys.executable, "-P", "-m", "trainer", *words]


def first_line(folder: Path, number: int) -> float:
    """Seconds from exec to the trainer's first status line; it is ended there."""
    argv = trainer("run", "--preset", "kssm-v3-tiny", "--out", str(folder / f"run{number}"))
    env = {**os.environ, "PHOTINUS_HOME": str(folder / "home")}
    process: list[subprocess.Popen[bytes]] = []

    def until_it_speaks() -> None:
        started = subprocess.Popen(argv, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, env=env)
        process.append(started)
        assert started.stdout is not None
        if not started.stdout.readline().startswith(b"photinus-train:"):
            raise RuntimeError("the trainer's first line is not its status line")

    took = seconds(until_it_speaks)
    process[0].kill()
    process[0].communicate()
    return took


def refusal() -> None:
    """Start with a misspelt key, and wait until the trainer has refused it."""
    argv = trainer("run", "--preset", "kssm-v3-tiny", "--out", "unused", "--set", "optim.lrr=1")
    done = subprocess.run(argv, capture_output=True, check=False)
    if done.returncode != 2 or b"optim.lr" not in done.stderr:
        raise RuntimeError(f"a misspelt key was not refused: {done.returncode} {done.stderr!r}")


def microseconds_a_line(folder: Path) -> float:
    """Microseconds that a row of metrics takes until the kernel has it."""
    values = {name: 1.0 / (3 + index) for index, name in enumerate(NAMES.split())}
    with EventWriter(folder / "events.jsonl", attempt=1) as events:

        def write_all() -> None:
            for step in range(LINES):
                events.metrics(step, values)

        return median_seconds(write_all, 5) / LINES * 1e6


def figures() -> Iterator[Figure]:
    """Measure everything."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        lines = sorted(first_line(folder, number) for number in range(STARTS))
        yield Figure("first status line after exec", lines[STARTS // 2] * 1e3, "ms", aim=150, n=STARTS)
        refused = median_seconds(refusal, STARTS) * 1e3
        yield Figure("config error after exec, process ended", refused, "ms", aim=300, n=STARTS)
        yield Figure(
            "one metrics row in events.jsonl", microseconds_a_line(folder), "us", aim=10, n=5 * LINES
        )


if __name__ == "__main__":
    report(figures())
