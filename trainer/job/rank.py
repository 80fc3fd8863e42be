"""One process among several that train one model: who it is. No torch here."""

import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

STORE_VARIABLE = "PHOTINUS_STORE"


@dataclass(frozen=True, slots=True)
class Rank:
    """Which process this is.

    Attributes:
        number: 0 leads: it alone speaks, saves, evaluates and is asked to stop.
        size: how many there are.
        store: the file by which they find each other; none listens on a port for that.
        launcher: process that started them, 0 where there is none.
    """

    number: int = 0
    size: int = 1
    store: Path = Path()
    launcher: int = 0

    @property
    def leads(self) -> bool:
        """Whether this is the one that speaks."""
        return self.number == 0


ALONE = Rank()


def rank_from(env: Mapping[str, str] = os.environ) -> Rank:
    """Return who torchrun says that we are.

    Raises:
        ValueError: it was not torchrun, as `torchrun_launch` calls it, that started us.
    """
    try:
        return Rank(int(env["RANK"]), int(env["WORLD_SIZE"]), Path(env[STORE_VARIABLE]), os.getppid())
    except (KeyError, ValueError) as error:
        raise ValueError(
            f"--ranked is for the processes of a run of several ({error} is missing); leave it out"
        ) from error
