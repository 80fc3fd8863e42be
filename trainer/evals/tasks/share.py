"""A share of answers with its number and interval."""

from dataclasses import dataclass

from trainer.evals.recall import wilson


@dataclass(frozen=True, slots=True)
class Share:
    """Which share of `n` answers was right (or was a certain wrong one), with Wilson's 95 % interval."""

    name: str
    value: float
    low: float
    high: float
    n: int


def share_of(name: str, hits: int, n: int) -> Share:
    """Return `hits` of `n`, at least one."""
    return Share(name, hits / n, *wilson(hits, n), n)
