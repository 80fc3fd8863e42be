"""Can R be functional? Every variant of the coupling, and itself trained without coupling, on text and tasks.

    python -m benchmarks.functional plan                    # what there is to run, in order
    python -m benchmarks.functional run --until 11:30       # go on where the last one stopped
    python -m benchmarks.functional table                   # what came out, as Markdown
    python -m benchmarks.functional table --into docs/functional-r.md

A finished run is one line of `results/functional.jsonl`; what stands there is not run again. A run that is
cut off by `--until` leaves nothing. One thread.
"""

import argparse
import json
import sys
import time
from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from benchmarks.functional.runs import CutError, Run, measure
from benchmarks.functional.table import table
from benchmarks.functional.variants import PLAN, VARIANTS, uncoupled
from benchmarks.learning.kernels import add_kernels, use_kernels
from benchmarks.pages import put

RESULTS = Path(__file__).parents[1] / "results" / "functional.jsonl"


def main() -> int:
    """Do what was asked."""
    options = parse()
    if options.what == "table":
        show(options.out, options.into)
        return 0
    wanted = list(runs(options.tasks, options.variants, options.seeds, options.steps))
    done = {line["key"] for line in lines(options.out)}
    todo = [run for run in wanted if run.key not in done]
    if options.what == "plan":
        for run in wanted:
            print("done" if run.key in done else "todo", run.key)
        return 0
    use_kernels(options.kernels)
    ends = deadline(options.until)
    options.out.parent.mkdir(exist_ok=True)
    for run in todo:
        began = time.process_time()
        try:
            result = measure(run, ends)
        except CutError:
            print(f"time is up; {len(todo) - todo.index(run)} runs are left", file=sys.stderr)
            return 0
        result["cpu_s"] = round(time.process_time() - began, 1)
        with options.out.open("a") as file:
            file.write(json.dumps(result) + "\n")
        print(f"{run.key}: CE {result['val_ce']:.4f}, accuracy {result['accuracy']}", file=sys.stderr)
    return 0


def parse() -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("what", choices=("plan", "run", "table"))
    parser.add_argument("--until", default="", metavar="HH:MM", help="stop then; default: when all is done")
    parser.add_argument("--steps", type=int, default=0, help="optimizer steps a run, in place of the plan's")
    parser.add_argument("--tasks", nargs="+", default=[], metavar="TASK")
    parser.add_argument("--variants", nargs="+", default=[], metavar="NAME", choices=VARIANTS)
    parser.add_argument("--seeds", nargs="+", type=int, default=[1], metavar="N")
    add_kernels(parser)
    parser.add_argument("--out", type=Path, default=RESULTS)
    parser.add_argument("--into", type=Path, help="put the table between its two marks in this file")
    return parser.parse_args()


def runs(tasks: Sequence[str], variants: Sequence[str], seeds: Sequence[int], steps: int) -> Iterator[Run]:
    """Yield the plan, each variant followed by its control, nothing twice."""
    seen: set[str] = set()
    for seed in seeds:
        for task, names, planned in PLAN:
            if tasks and task not in tasks:
                continue
            for name in names:
                if variants and name not in variants:
                    continue
                for fields in (VARIANTS[name], uncoupled(VARIANTS[name])):
                    run = Run(task, tuple(sorted(fields.items())), seed, steps or planned)
                    if run.key not in seen:
                        seen.add(run.key)
                        yield run


def lines(path: Path) -> list[dict[str, Any]]:
    """Return what is finished; a line torn by a kill is skipped."""
    found = []
    for line in path.read_text().splitlines() if path.exists() else []:
        try:
            found.append(json.loads(line))
        except json.JSONDecodeError:
            print(f"{path.name}: skipped a torn line", file=sys.stderr)
    return found


def show(path: Path, into: Path | None) -> None:
    """Print the table, or put it between its marks."""
    made = table(lines(path))
    if into is None:
        print(made)
    else:
        put(into, "functional", made)


def deadline(text: str) -> float:
    """Return the next time that it is `HH:MM` here, in seconds since the epoch; infinity if empty."""
    if not text:
        return float("inf")
    now = datetime.now().astimezone()
    hour, minute = (int(part) for part in text.split(":"))
    then = now.replace(hour=hour, minute=minute, second=0)
    return (then if then > now else then + timedelta(days=1)).timestamp()


if __name__ == "__main__":
    raise SystemExit(main())
