"""Runs that are out of the list of their host, and can be brought back."""

from dataclasses import dataclass
from typing import Literal


@dataclass(frozen=True, slots=True)
class PutAwayRun:
    """A run that is archived in its place, or lies in the trash.

    Attributes:
        at: since when, epoch seconds of the host's clock.
    """

    run_id: str
    name: str
    state: str
    where: Literal["archive", "trash"]
    at: float
