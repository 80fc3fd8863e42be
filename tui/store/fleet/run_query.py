"""The filter of the Fleet: words that a run must fit, read anew with every letter typed."""

import re
from collections.abc import Callable
from dataclasses import dataclass

from tui.store.runs import RunRecord

UNITS = {"s": 1.0, "m": 60.0, "min": 60.0, "h": 3600.0, "d": 86400.0, "w": 604800.0}
AGE_WORDS = {"hour": 3600.0, "today": 86400.0, "week": 604800.0}
AGE = re.compile(r"(?P<sign>[<>]?)(?P<number>\d+(?:\.\d+)?)(?P<unit>[a-z]*)")
WORDS_MAX = 32

Fits = Callable[[RunRecord, float], bool]


@dataclass(frozen=True, slots=True)
class RunQuery:
    """What is asked for, as it was typed, and what of it could not be read.

    Words are joined by spaces; all must fit, and `!` before one turns it round. `host:`, `state:`, `tag:`
    and `preset:` want the beginning of that fact (`state:` also `live`, `over`); `age:<2h`, `age:>3d` and
    `age:today` ask how long a run has been in its state; any other word is looked for in name, id, tags
    and note.
    """

    text: str
    fault: str
    words: tuple[tuple[bool, Fits], ...]

    @classmethod
    def of(cls, text: str) -> "RunQuery":
        """Read what was typed. A word that is not finished, or means nothing, keeps no run away."""
        words: list[tuple[bool, Fits]] = []
        fault = ""
        for word in text.lower().split()[:WORDS_MAX]:
            wanted = word.removeprefix("!")
            kind, colon, value = wanted.partition(":")
            if not wanted or (colon and not value and (kind in FACTS or kind == "age")):
                continue
            if kind == "age" and colon:
                found = _age(value)
                fault = fault or ("" if found else f"age:{value}: say age:<2h, age:>3d or age:today")
            else:
                found = _fact(kind, value) if colon and kind in FACTS else _anywhere(wanted)
            if found is not None:
                words.append((word.startswith("!"), found))
        return cls(text.strip(), fault, tuple(words))

    def fits(self, run: RunRecord, host_wall: float) -> bool:
        """Whether a run is meant; `host_wall`: epoch seconds by the clock of its host."""
        return all(found(run, host_wall) != turned for turned, found in self.words)


def _states(run: RunRecord) -> tuple[str, ...]:
    view = run.view
    kinds = ("live",) if view.is_live else ("over", "failed") if view.has_failed else ("over",)
    return (view.state.lower(), *kinds)


FACTS: dict[str, Callable[[RunRecord], tuple[str, ...]]] = {
    "host": lambda run: (run.host.lower(),),
    "state": _states,
    "tag": lambda run: tuple(tag.lower() for tag in run.view.tags),
    "preset": lambda run: (run.view.preset.lower(),),
}


def _fact(kind: str, value: str) -> Fits:
    facts = FACTS[kind]
    return lambda run, _wall: any(fact.startswith(value) for fact in facts(run))


def _anywhere(word: str) -> Fits:
    def found(run: RunRecord, _wall: float) -> bool:
        return any(word in part.lower() for part in (run.name, run.run_id, *run.view.tags, run.view.note))

    return found


def _age(value: str) -> Fits | None:
    """Younger than a length of time, or with `>` older; None where it is no length of time."""
    if (within := AGE_WORDS.get(value)) is not None:
        return lambda run, wall: wall - run.view.since < within
    match = AGE.fullmatch(value)
    unit = UNITS.get(match["unit"]) if match is not None else None
    if match is None or unit is None:
        return None
    length, is_older = float(match["number"]) * unit, match["sign"] == ">"
    return lambda run, wall: (
        (wall - run.view.since > length) if is_older else (wall - run.view.since < length)
    )
