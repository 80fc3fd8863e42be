"""The tables of `functional.jsonl`, as Markdown, and whether anything in them is a functional R."""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from statistics import mean
from typing import Any

from benchmarks.functional.variants import TASKS, VARIANTS, uncoupled

Line = dict[str, Any]
ENOUGH = 0.03
"""Nats by which coupling must lower CE to count as functional."""
HEAD = (
    "| variant | steps, seeds | CE coupled | uncoupled | difference | right coupled | uncoupled "
    "| far coupled | uncoupled | R | its past |\n|---|---|---|---|---|---|---|---|---|---|---|"
)


@dataclass(frozen=True, slots=True)
class Comparison:
    """A variant and its control, by seed.

    Attributes:
        plain: CE of the plain uncoupled layout after as many steps of the same task; None: not run.
        plain_right: likewise, the share that it answers rightly.
    """

    task: str
    name: str
    steps: int
    pairs: Sequence[tuple[Line, Line]]
    plain: float | None
    plain_right: float | None

    @property
    def gain(self) -> float:
        """Nats that coupling saves."""
        return self._mean(1, "val_ce") - self._mean(0, "val_ce")

    @property
    def is_functional(self) -> bool:
        """Whether coupling lowers CE by enough, and not only below a control that is worse than plain."""
        return self.gain >= ENOUGH and self.plain is not None and self._mean(0, "val_ce") <= self.plain

    @property
    def wins_by_latching(self) -> bool:
        """Whether a state with two attractors is right more often than its control and than plain."""
        right, control, plain = self._right(0), self._right(1), self.plain_right
        if right is None or control is None or plain is None:
            return False
        return self.pasts == ["latches"] and right > max(control, plain)

    @property
    def pasts(self) -> list[str]:
        """What became of two pasts, each verdict once."""
        return sorted({one["past"]["verdict"] for one, _ in self.pairs if one.get("past")})

    @property
    def row(self) -> str:
        """Its line of the table."""
        gains = [other["val_ce"] - one["val_ce"] for one, other in self.pairs]
        spread = f" ({-max(gains):+.4f} to {-min(gains):+.4f})" if len(gains) > 1 else ""
        cells = [
            self.name,
            f"{self.steps}, {len(self.pairs)}",
            *(f"{self._mean(which, 'val_ce'):.4f}" for which in (0, 1)),
            f"{-self.gain:+.4f}{spread}",
            *(_share(self._right(which)) for which in (0, 1)),
            *(_share(self._far(which)) for which in (0, 1)),
            f"{self._mean(0, 'R'):.2f}",
            ", ".join(self.pasts) or "–",
        ]
        return "| " + " | ".join(cells) + " |"

    def _mean(self, which: int, key: str) -> float:
        return float(mean(pair[which][key] for pair in self.pairs))

    def _right(self, which: int) -> float | None:
        return _known(pair[which]["accuracy"] for pair in self.pairs)

    def _far(self, which: int) -> float | None:
        found = (pair[which]["far"] for pair in self.pairs)
        return _known(one and one.get("<=2048", [None])[0] for one in found)


def table(lines: Sequence[Line]) -> str:
    """Return one table a task, and what they say together."""
    parts, found = [], []
    for task in ("python-docs", *TASKS):
        here = [line for line in lines if line["task"] == task]
        rows = [row for name in VARIANTS for row in _comparisons(here, name)]
        if rows:
            parts += [f"{_floors(here[0])}\n\n{HEAD}", *(row.row for row in rows), ""]
            found += rows
    return "\n".join([*parts, verdict(found, len(lines))]) if found else "Nothing has been run yet."


def verdict(found: Sequence[Comparison], runs: int) -> str:
    """Say which of the two ways of being functional was found, and where."""
    best = max(found, key=lambda one: one.gain)
    gain = f"The largest gain of coupling is {best.gain:.4f} nats ({best.name}, {best.task})"
    if best.gain <= 0:
        gain = "No variant gains by coupling"
    enough = _named(one for one in found if one.gain >= ENOUGH)
    functional = _named(one for one in found if one.is_functional)
    latching = _named(one for one in found if one.wins_by_latching)
    return (
        f"{runs} runs, {len(found)} comparisons. {gain}. A gain of at least {ENOUGH:g}: {enough}; "
        f"of these no worse than the plain uncoupled layout: {functional}. "
        "Latches, and is right more often than its control and than the plain uncoupled layout: "
        f"{latching}."
    )


def _named(found: Iterable[Comparison]) -> str:
    return ", ".join(f"{one.name} ({one.task})" for one in found) or "none"


def _floors(one: Line) -> str:
    floors = f"bigram {one['bigram']:.3f}, trigram {one['trigram']:.3f}"
    if one["entropy_rate"]:
        floors += f", the rate of the source {one['entropy_rate']:.3f}"
    return f"**{one['task']}**, nats a byte; {floors}"


def _comparisons(lines: Sequence[Line], name: str) -> Iterator[Comparison]:
    """One for each number of steps at which both the variant and its control are finished."""
    of = {(_model(line["model"]), line["seed"], line["steps"]): line for line in lines}
    pairs: dict[int, list[tuple[Line, Line]]] = defaultdict(list)
    control, plain = _model(uncoupled(VARIANTS[name])), _model(uncoupled({}))
    for (model, seed, steps), line in of.items():
        if model == _model(VARIANTS[name]) and (twin := of.get((control, seed, steps))):
            pairs[steps].append((line, twin))
    for steps, both in sorted(pairs.items()):
        beside = [of[key] for one, _ in both if (key := (plain, one["seed"], steps)) in of]
        yield Comparison(
            task=lines[0]["task"],
            name=name,
            steps=steps,
            pairs=both,
            plain=_known(one["val_ce"] for one in beside),
            plain_right=_known(one["accuracy"] for one in beside),
        )


def _model(fields: Any) -> tuple[tuple[str, Any], ...]:
    return tuple(sorted(dict(fields).items()))


def _known(values: Iterable[float | None]) -> float | None:
    known = [value for value in values if value is not None]
    return float(mean(known)) if known else None


def _share(value: float | None) -> str:
    return "–" if value is None else f"{100 * value:.1f} %"
