"""`make bench`: run the benchmarks one after another, print a table, write `benchmarks/results/`.

usage: python -m benchmarks [NAME ...]
"""

import json
import os
import platform
import subprocess
import sys
import time
from pathlib import Path

from benchmarks.figures import Figure

SUITE = (
    "trainer_startup", "first_paint", "fleet", "chart", "logview", "ingest", "link", "ssh", "ssh_load",
    "transfer", "resumed_pull", "training_step", "published_step", "memory", "loop_overhead", "scan",
    "generation", "home", "recognise", "background_save",
)  # fmt: skip
RESULTS = Path(__file__).parent / "results"


def main() -> int:
    """Run what was named, or everything; 1 where a script failed."""
    names = sys.argv[1:] or list(SUITE)
    collected: dict[str, list[Figure]] = {}
    failed = []
    for name in names:
        done = subprocess.run(
            [sys.executable, "-P", "-m", f"benchmarks.{name}"], stdout=subprocess.PIPE, text=True, check=False
        )
        if done.returncode:
            failed.append(name)
            continue
        collected[name] = [
            Figure(**json.loads(line)) for line in done.stdout.splitlines() if line.startswith("{")
        ]
        for figure in collected[name]:
            print(row(name, figure), flush=True)
    if not sys.argv[1:]:
        write(collected)
    for name in failed:
        print(f"benchmarks.{name} failed", file=sys.stderr)
    return 1 if failed else 0


def row(name: str, figure: Figure) -> str:
    """A line of the table."""
    aim = "" if figure.aim is None else f"{'<=' if figure.less_is_better else '>='} {figure.aim:g}"
    verdict = {None: "", True: "met", False: "NOT MET"}[figure.met]
    ratio = f"{figure.ratio:.2f}x {figure.baseline}" if figure.ratio is not None else ""
    number = f"{figure.value:10.4g} {figure.unit:10} {aim:12} {verdict:8} n={figure.n:<4} {ratio}"
    return f"{name:16} {figure.what:52} {number}".rstrip()


def write(collected: dict[str, list[Figure]]) -> None:
    """The whole run as JSON, with the machine in words."""
    machine = {
        "platform": platform.platform(),
        "python": platform.python_version(),
        "cores": os.cpu_count(),
        "load": os.getloadavg(),
    }
    body = {
        "at": time.strftime("%Y-%m-%d"),
        "machine": machine,
        "figures": {name: [vars(f) for f in figures] for name, figures in collected.items()},
    }
    RESULTS.mkdir(exist_ok=True)
    (RESULTS / "latest.json").write_text(json.dumps(body, indent=1) + "\n")


if __name__ == "__main__":
    sys.exit(main())
