"""Who waits for a device, in which order: read only, what moves it is `queue`."""

import re
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from trainer.run.errors import RunError
from trainer.run.home import Home
from trainer.run.layout import RunDir
from trainer.run.spec import RunSpec

ENTRY = re.compile(r"([0-9]{8})-(.+)\.json")


@dataclass(frozen=True, slots=True)
class Waiting:
    """One entry: `place` grows with every one that is added."""

    place: int
    run_id: str
    path: Path


def waiting(home: Home) -> list[Waiting]:
    """The line, first come first; files that are no entry are skipped."""
    found = (
        Waiting(int(match[1]), match[2], path)
        for path in home.queue_dir.iterdir()
        if (match := ENTRY.fullmatch(path.name))
    )
    return sorted(found, key=lambda entry: entry.place)


def place_of(home: Home, run: RunDir, spec_of: Callable[[RunDir], RunSpec]) -> tuple[int, str]:
    """How many starts it takes until this one's turn (1: it is next) and who is directly before it.

    Each device has a line of its own: who waits for other devices is not before it.
    """
    wanted, place, ahead = set(spec_of(run).devices), 1, ""
    for entry in waiting(home):
        if entry.run_id == run.run_id:
            return place, ahead
        try:
            before = spec_of(home.run(entry.run_id))
        except (RunError, OSError):
            continue  # a broken entry holds up nobody
        if wanted.intersection(before.devices):
            place, ahead = place + 1, entry.run_id
    return 0, ""
