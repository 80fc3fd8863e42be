"""The metrics that a run really tells: name, unit, kind, first step, axis, and which belong together."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from trainer.telemetry.formats.metric_names import is_held_out
from trainer.telemetry.metric_kinds import Kind, base_of, kind_of, unit_of

LOSSES = ("ce", "total", "loss")
"""What is the loss of a run, the most telling first; else the first loss that it told."""


@dataclass(frozen=True, slots=True)
class Metric:
    """One metric of a run.

    Attributes:
        name: as the run or its log says it.
        unit: as its name says it, empty where it says none.
        first: the step of its first value.
        axis: what its steps count: `step` or `epoch`.
        is_held_out: it was measured on data that is not trained on.
    """

    name: str
    kind: Kind
    unit: str
    first: int
    axis: str = "step"
    is_held_out: bool = False


Catalogue = Mapping[str, Metric]


def metric(name: str, first: int, axis: str = "step", *, scored: bool = False) -> Metric:
    """A metric as it is first heard of; `scored`: among the scores of an evaluation."""
    return Metric(name, kind_of(name), unit_of(name), first, axis, scored or is_held_out(name))


def loss_of(catalogue: Catalogue) -> str:
    """The name of the run's loss: of training where it tells one, else held out; empty for none."""
    for name in LOSSES:
        if name in catalogue:
            return name
    losses = [one for one in catalogue.values() if one.kind == "loss"]
    losses.sort(key=lambda one: one.is_held_out)
    return losses[0].name if losses else ""


def held_out_of(name: str, catalogue: Catalogue) -> str:
    """The held-out metric that is drawn beside one of training, empty where none is told."""
    one = catalogue.get(name)
    if one is None or is_held_out(name):
        return ""
    return next(_held_out(name, catalogue), "")


def _held_out(name: str, catalogue: Catalogue) -> Iterator[str]:
    if name == "total" and "val_ce" in catalogue:
        yield "val_ce"
    bases = {base_of(name), *({"acc", "accuracy"} if base_of(name) in ("acc", "accuracy") else ())}
    for other in catalogue.values():
        if is_held_out(other.name) and base_of(other.name) in bases:
            yield other.name


def beside_another(name: str, catalogue: Catalogue) -> bool:
    """Whether a metric is drawn beside one of training."""
    return is_held_out(name) and any(held_out_of(other, catalogue) == name for other in catalogue)
