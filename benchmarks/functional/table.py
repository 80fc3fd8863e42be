"""The table of `functional.jsonl`, as Markdown."""

from collections import defaultdict
from collections.abc import Sequence
from statistics import mean
from typing import Any

from benchmarks.functional.variants import TASKS, VARIANTS, uncoupled

Line = dict[str, Any]
AHEAD = -0.03
"""Nats by which coupling must lower CE to count as functional."""


def table(lines: Sequence[Line]) -> str:
    """Return one table a task, and a sentence that says what they say."""
    parts, best = [], 0.0
    for task in ("python-docs", *TASKS):
        here = [line for line in lines if line["task"] == task]
        rows = [row for name in VARIANTS for row in _rows(here, name)]
        if rows:
            parts += [_heading(here), *(text for text, _ in rows), ""]
            best = min(best, *(difference for _, difference in rows))
    count = len(lines)
    if not parts:
        return "Nothing has been run yet."
    gain = f"The largest gain of coupling is {-best:.4f} nats" if best < 0 else "No variant gains by coupling"
    verdict = (
        f"{count} runs. {gain}; at least {-AHEAD:g} was asked for{', and met' if best <= AHEAD else ''}."
    )
    return "\n".join([*parts, verdict])


def _heading(lines: Sequence[Line]) -> str:
    one = lines[0]
    floors = f"bigram {one['bigram']:.3f}, trigram {one['trigram']:.3f}"
    if one["entropy_rate"]:
        floors += f", the rate of the source {one['entropy_rate']:.3f}"
    return (
        f"**{one['task']}**, nats a byte; {floors}\n\n"
        "| variant | steps, seeds | CE coupled | uncoupled | difference | right coupled | uncoupled "
        "| far coupled | uncoupled | R | its past |\n|---|---|---|---|---|---|---|---|---|---|---|"
    )


def _rows(lines: Sequence[Line], name: str) -> list[tuple[str, float]]:
    """One row for each number of steps at which both the variant and its control are finished."""
    found: dict[int, list[tuple[Line, Line]]] = defaultdict(list)
    control = uncoupled(VARIANTS[name])
    for line in lines:
        if line["model"] != dict(VARIANTS[name]):
            continue
        twins = [
            one
            for one in lines
            if one["model"] == control and (one["seed"], one["steps"]) == (line["seed"], line["steps"])
        ]
        if twins:
            found[line["steps"]].append((line, twins[0]))
    return [_row(name, steps, pairs) for steps, pairs in sorted(found.items())]


def _row(name: str, steps: int, pairs: Sequence[tuple[Line, Line]]) -> tuple[str, float]:
    def over(which: int, key: str) -> float:
        return float(mean(pair[which][key] for pair in pairs))

    differences = [one["val_ce"] - other["val_ce"] for one, other in pairs]
    spread = f" ({min(differences):+.4f} to {max(differences):+.4f})" if len(pairs) > 1 else ""
    cells = [
        name,
        f"{steps}, {len(pairs)}",
        f"{over(0, 'val_ce'):.4f}",
        f"{over(1, 'val_ce'):.4f}",
        f"{mean(differences):+.4f}{spread}",
        *(_share(pairs, which, "accuracy") for which in (0, 1)),
        *(_share(pairs, which, "far") for which in (0, 1)),
        f"{over(0, 'R'):.2f}",
        ", ".join(sorted({one["past"]["verdict"] for one, _ in pairs if one.get("past")})) or "–",
    ]
    return "| " + " | ".join(cells) + " |", mean(differences)


def _share(pairs: Sequence[tuple[Line, Line]], which: int, key: str) -> str:
    values = [pair[which][key] for pair in pairs]
    if key == "far":
        values = [value and value.get("<=2048", [None])[0] for value in values]
    known = [value for value in values if value is not None]
    return f"{100 * mean(known):.1f} %" if known else "–"
