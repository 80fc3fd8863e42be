"""The metrics that a run really tells: name, unit, kind, first step, axis, and which belong together."""

from collections.abc import Mapping
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
    if name not in catalogue or is_held_out(name):
        return ""
    if name == "total" and "val_ce" in catalogue:
        return "val_ce"
    base = _base(name)
    return next((other for other in catalogue if is_held_out(other) and _base(other) == base), "")


def trained(catalogue: Catalogue) -> frozenset[str]:
    """What is measured in training, for `has_trained`."""
    return frozenset(_base(name) for name in catalogue if not is_held_out(name))


def has_trained(name: str, bases: frozenset[str]) -> bool:
    """Whether a held-out metric is measured in training as well: then it stands beside that one."""
    return is_held_out(name) and _base(name) in bases


def _base(name: str) -> str:
    base = base_of(name)
    return "acc" if base == "accuracy" else base
