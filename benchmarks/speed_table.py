"""The table of `results/speed.json`, as Markdown.

python -m benchmarks.speed_table                      # print it
python -m benchmarks.speed_table docs/models.md       # put it between its marks
"""

import argparse
import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from benchmarks.__main__ import RESULTS
from benchmarks.pages import put

Cell = dict[str, Any]
"""`model`, `size`, `tokens`, `batch`, `mode`, `tokens_per_s`."""
BASELINE = "gpt"
OTHERS = ("kssm-v3", "kssm-v3 uncoupled", "gated")


def table(cells: Sequence[Cell]) -> str:
    """Return `gpt` in tokens a second and the others as ratios to it, then the best mode of each."""
    rows = [
        f"| size | tokens | mode | {BASELINE}, tokens/s | {' | '.join(OTHERS)} |",
        "|" + "---|" * (4 + len(OTHERS)),
    ]
    for size, tokens in dict.fromkeys((cell["size"], cell["tokens"]) for cell in cells):
        here = [cell for cell in cells if (cell["size"], cell["tokens"]) == (size, tokens)]
        start = f"| {size} | {here[0]['batch']} x {tokens:,}"
        speeds = {(cell["model"], cell["mode"]): cell["tokens_per_s"] for cell in here}
        for mode in dict.fromkeys(cell["mode"] for cell in here):
            beside = speeds.get((BASELINE, mode), speeds[BASELINE, "eager fp32"])
            ratios = (f"{speeds[name, mode] / beside:.2f}" for name in OTHERS)
            told = f"{beside:,.0f}" if (BASELINE, mode) in speeds else "(as eager fp32)"
            rows.append(f"{start} | {mode} | {told} | {' | '.join(ratios)} |")
        best = {name: max(_of(speeds, name), key=lambda one: one[1]) for name in (BASELINE, *OTHERS)}
        top = best[BASELINE][1]
        ratios = (f"**{best[name][1] / top:.2f}** ({best[name][0]})" for name in OTHERS)
        rows.append(f"{start} | best of each | {top:,.0f} ({best[BASELINE][0]}) | {' | '.join(ratios)} |")
    return "\n".join(rows)


def _of(speeds: dict[tuple[str, str], float], name: str) -> list[tuple[str, float]]:
    """Return every mode of a model and its tokens a second."""
    return [(mode, speed) for (model, mode), speed in speeds.items() if model == name]


def main() -> None:
    """Print the table, or put it into a page."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("page", type=Path, nargs="?")
    parser.add_argument("--results", type=Path, default=RESULTS / "speed.json")
    options = parser.parse_args()
    made = table(json.loads(options.results.read_text("utf-8"))["cells"])
    if options.page:
        put(options.page, "speed", made)
    else:
        print(made)


if __name__ == "__main__":
    main()
