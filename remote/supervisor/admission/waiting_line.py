"""Who waits for a device, in which order: read only, what moves it is `queue`."""

import re
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from trainer.run.home import Home
from trainer.run.layout import RunDir
from trainer.run.run_errors import RunError
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


def places(home: Home, spec_of: Callable[[RunDir], RunSpec]) -> dict[str, tuple[int, str]]:
    """Of each run in line: how many starts it takes until it is its turn (1: the next), and who is before it.

    Each device has a line of its own: who waits for other devices is not before it.
    """
    lines: dict[str, list[str]] = {}
    found: dict[str, tuple[int, str]] = {}
    for entry in waiting(home):
        try:
            devices = spec_of(home.run(entry.run_id)).devices
        except (RunError, OSError):
            continue  # a broken entry holds up nobody
        mine = [lines.setdefault(device, []) for device in devices]
        before = set[str]().union(*mine) if len(mine) > 1 else None
        count = len(before) if before is not None else sum(map(len, mine))
        found[entry.run_id] = (count + 1, next((line[-1] for line in mine if line), ""))
        for line in mine:
            line.append(entry.run_id)
    return found
