"""How soon the trainer speaks, how soon it refuses, what a run of one step costs, and what an event."""

import os
import resource
import statistics
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

from benchmarks.figures import Figure, median_seconds, report, seconds
from trainer.telemetry.write import EventWriter

STARTS = 9
RUNS = 5
LINES = 20_000
TINY = (
    "model.dim=16", "model.layers=1", "model.oscillators=8", "batch=2", "context=16", "steps=1", "threads=1",
    "device=cpu", "optim.warmup=1", "optim.amp=off", "eval.every=0", "eval.tokens=64", "checkpoint.every=0",
)  # fmt: skip
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


def cpu_of(argv: list[str], env: dict[str, str]) -> float:
    """CPU seconds of a process, to its end."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    subprocess.run(argv, env=env, check=True, capture_output=True)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


def whole_run(folder: Path) -> tuple[float, float]:
    """CPU seconds of a run of one tiny step from exec to end, and of a process that imports torch alone."""
    text = folder / "text.txt"
    text.write_text("".join(f"the {n}th firefly waits until its neighbours flash\n" for n in range(2000)))
    sets = [word for item in TINY for word in ("--set", item)]
    env = {**os.environ, "PHOTINUS_HOME": str(folder / "home"), "OMP_NUM_THREADS": "1"}
    runs, imports = [], []
    for number in range(RUNS + 1):
        out = str(folder / f"whole{number}")
        words = trainer("run", "--preset", "kssm-v3-tiny", "--data", str(text), "--out", out, *sets)
        runs.append(cpu_of(words, env))
        imports.append(cpu_of([sys.executable, "-P", "-c", "import torch"], env))
    return statistics.median(runs[1:]), statistics.median(imports[1:])  # the first fills caches


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
        spent, least = whole_run(folder)
        yield Figure(
            "a run of one tiny step from exec to its end",
            round(spent, 2),
            "CPU s",
            n=RUNS,
            baseline="a process that imports torch",
            ratio=round(spent / least, 2),
        )
        yield Figure(
            "one metrics row in events.jsonl", microseconds_a_line(folder), "us", aim=10, n=5 * LINES
        )


if __name__ == "__main__":
    report(figures())
