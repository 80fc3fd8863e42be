"""Who waits for a device, in which order: read only, what moves it is `queue`."""

import re
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from trainer.run.disk.atomic import read_json
from trainer.run.home import Home
from trainer.run.layout import RUN_ID, RunDir
from trainer.run.records import read_state
from trainer.run.run_errors import RunError
from trainer.run.spec import RunSpec
from trainer.run.states import State

ENTRY = re.compile(r"([0-9]{8})-(.+)\.json")


@dataclass(frozen=True, slots=True)
class Waiting:
    """One entry: `place` grows with every one that is added."""

    place: int
    run_id: str
    path: Path


@dataclass(frozen=True, slots=True)
class Terms:
    """What an entry says beside its place. `after`: the run whose success it waits for; empty: none."""

    held: bool = False
    after: str = ""
    at: float = 0.0


def terms_of(entry: Waiting) -> Terms:
    """Of an entry of before, or one that cannot be read: none."""
    try:
        raw = read_json(entry.path)
    except (RunError, OSError):
        return Terms()
    if not isinstance(raw, dict):
        return Terms()
    after, at = raw.get("after"), raw.get("at")
    is_run = isinstance(after, str) and RUN_ID.fullmatch(after) is not None
    return Terms(
        held=raw.get("held") is True,
        after=str(after) if is_run else "",
        at=float(at) if isinstance(at, int | float) else 0.0,
    )


def why_kept(home: Home, terms: Terms) -> str:
    """Why an entry is passed over by those behind it; empty where its turn is only a matter of its device."""
    if terms.held:
        return "held"
    if not terms.after:
        return ""
    try:
        state = read_state(home.run(terms.after))
    except (RunError, OSError):
        state = None
    if state is None:
        return f"{terms.after} is not here any more"
    if state.state is State.SUCCEEDED:
        return ""
    return (
        f"{terms.after} ended {state.state}" if state.is_terminal else f"waits for {terms.after} to succeed"
    )


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
