"""Which charts a run has: those that its metrics ask for, or those that somebody chose for its kind."""

from collections.abc import Sequence
from dataclasses import dataclass

from tui.store.metrics.catalogue import Catalogue, Metric, has_trained, held_out_of, loss_of, trained

USUAL = ("ce", "u_val", "R", "grad_norm")
"""The charts of a run of ours before it has told anything, and of each one that tells them all."""
FEW, MOST = 4, 60  # charts that come by themselves, and that can be chosen
_ORDER = ("loss", "ratio", "score", "rate", "throughput", "number", "memory", "norm")
_DULL = frozenset({"time", "count"})
_NEVER = frozenset({"overhead", "reg"})  # of ours: they have lamps, or say little
_FEW_SCORES = frozenset({"loss", "ratio", "score"})


@dataclass(frozen=True, slots=True)
class ChartPlan:
    """One chart: a metric, what is drawn beside it, and the words of its frame.

    Attributes:
        marks: the held-out metric of the same name; empty for none.
        overlay: another metric on the same axis; empty for none.
        axis: what its steps count.
    """

    metric: str
    title: str
    unit: str = ""
    kind: str = "number"
    marks: str = ""
    overlay: str = ""
    axis: str = "step"


def charts(catalogue: Catalogue, chosen: Sequence[str] = (), *, ours: bool = False) -> tuple[ChartPlan, ...]:
    """The charts of a run, the most telling first.

    Args:
        catalogue: what it tells.
        chosen: what was chosen for runs of its kind; of these it shows those that it tells.
        ours: a run of our trainer: it has its usual charts while it has told nothing.
    """
    names: Sequence[str] = [name for name in chosen if name in catalogue][:MOST]
    if not names:
        names = automatic(catalogue) if catalogue or not ours else USUAL
    return tuple(_plan(name, catalogue) for name in names)


def automatic(catalogue: Catalogue) -> list[str]:
    """The metrics that come onto charts by themselves: the loss, our own three, then by what they are."""
    loss = loss_of(catalogue)
    first = [name for name in (loss, *USUAL[1:]) if name in catalogue]
    bases = trained(catalogue)
    others = [one for one in catalogue.values() if one.name not in first and _is_notable(one, bases, loss)]
    others.sort(key=lambda one: (_ORDER.index(one.kind), one.is_held_out))
    return [*first, *(one.name for one in others)][:FEW]


def put_on_chart(names: Sequence[str], name: str, place: int | None) -> list[str]:
    """The charts after a metric was put onto one of them, or (None) onto one more, if there is room.

    One that has a chart changes places with what was there; (None) it loses its chart.
    """
    after = list(names)
    if place is None:
        if name in after:
            return [one for one in after if one != name]
        place = min(len(after), MOST - 1)
    after[place : place + 1] = [name]
    if name in names:
        after[names.index(name)] = names[place] if place < len(names) else name
        after[place] = name
    return after


def _is_notable(one: Metric, bases: frozenset[str], loss: str) -> bool:
    """Whether a metric is worth a chart that nobody asked for."""
    if one.kind in _DULL or one.name in _NEVER or (loss == "ce" and one.name == "total"):
        return False
    if not one.is_held_out:
        return True
    return one.kind in _FEW_SCORES and not has_trained(one.name, bases)


def _plan(name: str, catalogue: Catalogue) -> ChartPlan:
    one = catalogue.get(name)
    overlay = "R_predicted" if name == "R" and "R_predicted" in catalogue else ""
    return ChartPlan(
        metric=name,
        title={"ce": "loss", "total": "loss", "grad_norm": "grad norm"}.get(name, name),
        unit="nats/token" if name in ("ce", "total") else one.unit if one is not None else "",
        kind=one.kind if one is not None else "number",
        marks=held_out_of(name, catalogue),
        overlay=overlay,
        axis=one.axis if one is not None else "step",
    )
