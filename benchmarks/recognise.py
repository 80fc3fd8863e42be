"""Logs recognised: what a line among others costs, rows a CPU-second, memory, and the time to the first row.

The first is a ratio to `for line in file` over the same bytes; rows are a ratio to a loop that splits each
line and makes its cells floats, and does nothing else. With `--against FOLDER`, a checkout of another version
with an environment of its own in `.venv`, rows are told as a ratio to that, too. It takes a minute;
`--mb 4` less.
"""

import argparse
import functools
import os
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterable
from pathlib import Path

import psutil

from benchmarks.figures import Figure, report
from trainer.telemetry.recogniser import LogRecogniser

SIZE_MB = 20
CHUNK = 1 << 16
ROUNDS = 5
HEADER = "  Step |   Total |      CE |     Reg |       R |   u_val | GradNorm\n"
ROW = "{:6d} |   3.562 |   2.915 |  0.6477 | 0.0471 |   1.043 |    1.334\n"
CHATTER = "2031-01-02 03:04:05 worker {:4d}: fetched a shard of the queue, waited 0.{:03d} s for the node\n"
OTHERS = {
    "nanoGPT": "iter {0}: loss 2.{1:04d}, time 362.69ms, mfu 1.26%\n",
    "key=value": "step={0} loss=2.{1:03d} lr=3.00e-04 grad_norm=1.2{1:03d} tokens_per_s=1843\n",
    "key: value": "Step {0}/500000 | Loss: 2.{1:03d} | LR: 0.0003\n",
    "JSON lines": '{{"step": {0}, "loss": 2.{1:03d}, "lr": 0.0003, "grad_norm": 1.2{1:03d}}}\n',
    "HF Trainer": "{{'loss': 2.{1:03d}, 'grad_norm': 0.5186, 'learning_rate': 0.00017, 'epoch': {2:.4f}}}\n",
    "Megatron": (
        " iteration {0:8d}/  500000 | consumed samples: {0:12d} | elapsed time per iteration (ms): 6.1 "
        "| learning rate: 3.0E-04 | global batch size: 8 | lm loss: 2.{1:03d}E+00 | grad norm: 1.200 |\n"
    ),
}
BARS = "\r {:3d}%|########  | {}/900 [00:10<00:12,  9.10it/s]"


def written(folder: Path, name: str, lines: Iterable[str], most: int, head: str = HEADER) -> Path:
    path, size = folder / name, 0
    with path.open("w") as file:
        file.write(head)
        for line in lines:
            size += file.write(line)
            if size > most:
                break
    return path


def sparse() -> Iterable[str]:
    """A row in every fiftieth line."""
    for n in range(1 << 30):
        yield ROW.format(n) if n % 50 == 49 else CHATTER.format(n % 977, n % 1000)


def sparse_other(row: str) -> Iterable[str]:
    """The same with a row of another format."""
    for n in range(1 << 30):
        at = n // 50
        yield row.format(at, at % 1000, at / 1000) if n % 50 == 49 else CHATTER.format(n % 977, n % 1000)


def dense() -> Iterable[str]:
    return (ROW.format(n) for n in range(1 << 30))


def bars() -> Iterable[str]:
    """Redraws without a line end."""
    return (BARS.format(n % 100, n % 900) for n in range(1 << 30))


def cpu(work: Callable[[], object]) -> float:
    begun = time.process_time()
    work()
    return time.process_time() - begun


def recognise(path: Path, chunk: int = CHUNK) -> int:
    log, count = LogRecogniser(), 0
    with path.open("rb", buffering=0) as file:
        while data := file.read(chunk):
            count += len(log.feed(data))
    return count + len(log.finish())


def lines(path: Path) -> None:
    with path.open() as file:
        for _ in file:
            pass


def floats(path: Path) -> None:
    """What no reader of such rows can do without."""
    with path.open() as file:
        next(file)
        for line in file:
            [float(cell) for cell in line.split("|")]


def command(path: Path, root: Path, python: str) -> tuple[float, int]:
    """CPU seconds of `photinus read PATH` of a checkout, and its lines."""
    words = [python, "-m", "tui.cli", "read", *(["--json"] if root == Path.cwd() else []), str(path)]
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    told = subprocess.run(words, cwd=root, capture_output=True, check=True).stdout
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime, told.count(b"\n")


def memory_mb(path: Path) -> float:
    """The most that a reading process had resident."""
    words = (
        "import resource, runpy, sys\n"
        "try:\n    runpy.run_module('tui.cli', run_name='__main__')\n"
        "finally:\n    sys.stderr.write(str(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss))\n"
    )
    ran = subprocess.run(
        [sys.executable, "-c", words, "read", "--json", str(path)], capture_output=True, text=True
    )
    return int(ran.stderr.split()[-1]) / (1024 if sys.platform != "darwin" else 1 << 20)


def await_rest(process: psutil.Process) -> None:
    """Until a process waits for its input: it uses no CPU any more. Its start is not what is measured."""
    still, spent = 0, -1.0
    while still < 5:
        time.sleep(0.1)
        now = sum(process.cpu_times()[:2])
        still, spent = (still + 1 if now == spent and now > 0 else 0), now


def first_row_s() -> float:
    """From the first byte in the pipe of a waiting reader to the first line of its answer."""
    ours, theirs = os.pipe()
    words = [sys.executable, "-m", "tui.cli", "read", "--json", "-"]
    with subprocess.Popen(words, stdin=ours, stdout=subprocess.PIPE) as reader:
        os.close(ours)
        await_rest(psutil.Process(reader.pid))
        begun = time.monotonic()
        os.write(theirs, (HEADER + ROW.format(20)).encode())
        assert reader.stdout is not None
        reader.stdout.readline()  # while the pipe is open still
        spent = time.monotonic() - begun
        os.close(theirs)
    return spent


def against(path: Path, idle: Path, other: Path | None) -> list[Figure]:
    """Rows a CPU-second of the whole command; and how many times as many as another version's."""
    rates: dict[str, list[float]] = {"ours": [], "theirs": []}
    for _ in range(3):
        for name, root, python in (("ours", Path.cwd(), sys.executable), ("theirs", other, None)):
            if root is None:
                continue
            python = python or str(root / ".venv" / "bin" / "python")
            start, _ = command(idle, root, python)
            spent, rows = command(path, root, python)
            rates[name].append(rows / max(spent - start, 1e-6))
    ours = statistics.median(rates["ours"])
    least = rows / statistics.median(cpu(lambda: floats(path)) for _ in range(3))
    figures = [
        Figure(
            "rows of `photinus read`, its start left out",
            round(ours),
            "a CPU-second",
            less_is_better=False,
            n=3,
            baseline="split and float of each line",
            ratio=round(ours / least, 2),
        )
    ]
    if other is not None:
        ratio = ours / statistics.median(rates["theirs"])
        figures.append(
            Figure("the same, to the other version", round(ratio, 1), "x", 3.0, less_is_better=False, n=3)
        )
    return figures


def others(folder: Path, size: int) -> list[Figure]:
    """What a row in every fiftieth line costs in other formats."""
    figures = []
    for name, row in OTHERS.items():
        path = written(folder, "other.log", sparse_other(row), size, head="")
        ratios = [
            cpu(functools.partial(recognise, path)) / cpu(functools.partial(lines, path))
            for _ in range(ROUNDS)
        ]
        figures.append(Figure(f"the same, {name}", round(statistics.median(ratios), 1), "x", 4.0, n=ROUNDS))
    return figures


def main() -> None:
    """Measure."""
    asked = argparse.ArgumentParser(description=__doc__)
    asked.add_argument("--against", type=Path, help="a checkout of another version, with its own .venv")
    asked.add_argument("--mb", type=int, default=SIZE_MB, metavar="N", help="how large the logs are")
    args = asked.parse_args()
    other, size = args.against, args.mb << 20
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        some = written(folder, "sparse.log", sparse(), size)
        all_rows = written(folder, "dense.log", dense(), size)
        redraws = written(folder, "bars.log", bars(), size // 40)
        idle = folder / "idle.log"
        idle.write_text(HEADER + ROW.format(20) + ROW.format(40))
        ratios = [cpu(lambda: recognise(some)) / cpu(lambda: lines(some)) for _ in range(ROUNDS)]
        small = cpu(lambda: recognise(redraws, 50)) / cpu(lambda: recognise(redraws, 4096))
        sparse_ratio = round(statistics.median(ratios), 1)
        figures = [
            Figure("a row in every fiftieth line, to `for line in file`", sparse_ratio, "x", 4.0, n=ROUNDS),
            *others(folder, size),
            Figure("a bar without line ends in pieces of 50 bytes, to 4 KiB", round(small, 1), "x", 40.0),
            Figure(
                f"memory of `photinus read` of {args.mb} MB of rows", round(memory_mb(all_rows)), "MB", 60.0
            ),
            Figure("the first row after the first byte", round(first_row_s(), 2), "s", 0.5),
            *against(all_rows, idle, other),
        ]
        report(figures)


if __name__ == "__main__":
    main()
