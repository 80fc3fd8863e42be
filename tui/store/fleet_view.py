"""Which runs of a fleet are shown, and in which order: what the operator typed, and what matters first."""

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Literal

from tui.store.runs import RunRecord

Field = Literal["host", "state", "tag", "preset", "age", ""]
FIELDS: tuple[Field, ...] = ("host", "state", "tag", "preset", "age")
UNITS = {"s": 1.0, "m": 60.0, "h": 3600.0, "d": 86400.0}
_AGE = re.compile(r"([<>])(\d{1,9}(?:\.\d{1,3})?)([smhd])")
BAD = frozenset({"failed", "died", "died_reboot", "unkillable", "unsupervised"})


@dataclass(frozen=True, slots=True)
class Term:
    """One word of a filter.

    Attributes:
        field: of what it speaks; empty: of anything that names the run.
        text: lower case; of an age `<2h` or `>3d`.
        inverted: it lets through what it does not match.
    """

    field: Field
    text: str
    inverted: bool

    def lets(self, run: RunRecord, wall: float) -> bool:
        """Whether this word lets a run through."""
        return self._matches(run, wall) != self.inverted

    def _matches(self, run: RunRecord, wall: float) -> bool:
        view = run.view
        match self.field:
            case "host":
                return self.text in run.host.lower()
            case "state":
                return view.state.lower().startswith(self.text)
            case "preset":
                return self.text in view.preset.lower()
            case "tag":
                return any(self.text in tag.lower() for tag in view.tags)
            case "age":
                return _is_of_age(self.text, wall - view.created)
        named = (view.name, view.run_id, run.host, view.preset, view.state, *view.tags)
        return any(self.text in one.lower() for one in named)


def _is_of_age(text: str, seconds: float) -> bool:
    found = _AGE.fullmatch(text)
    if found is None:
        return True  # still being typed
    limit = float(found[2]) * UNITS[found[3]]
    return seconds < limit if found[1] == "<" else seconds > limit


@dataclass(frozen=True, slots=True)
class FleetFilter:
    """What was typed: every word must let a run through.

    Attributes:
        fault: what is wrong with a word, and what one writes instead; empty where nothing is.
    """

    terms: tuple[Term, ...] = ()
    fault: str = ""

    def lets(self, run: RunRecord, wall: float) -> bool:
        """Whether a run is shown."""
        return all(term.lets(run, wall) for term in self.terms)


EVERYTHING = FleetFilter()


def read_filter(typed: str) -> FleetFilter:
    """`lr host:atlas !state:succeeded age:<2h` as words; one that is still typed lets all through."""
    terms, fault = list[Term](), ""
    for word in typed.lower().split():
        inverted, body = word.startswith("!"), word.removeprefix("!")
        name, colon, text = body.partition(":")
        field: Field = next((known for known in FIELDS if colon and known == name), "")
        if not field:
            text = body
        if not text:
            continue
        if field == "age" and _AGE.fullmatch(text) is None:
            fault = f"age:{text} is no age: age:<2h or age:>3d (s, m, h, d)"
            continue
        terms.append(Term(field, text, inverted))
    return FleetFilter(tuple(terms), fault)


Sort = Literal["", "run", "state", "step", "loss", "data"]
SORTS: tuple[Sort, ...] = ("", "run", "state", "step", "loss", "data")
_KEYS: dict[Sort, Callable[[RunRecord], str | float | None]] = {
    "run": lambda run: run.view.name.lower(),
    "state": lambda run: run.view.state,
    "step": lambda run: None if run.step is None else float(run.step),
    "loss": lambda run: None if run.loss is None or run.loss != run.loss else run.loss,
    "data": lambda run: -run.view.since,
}


def ordered(runs: Sequence[RunRecord], by: Sort = "", *, reverse: bool = False) -> list[RunRecord]:
    """Runs of one host in the order in which they are shown; what has no value stands last.

    Without a column: what lives, then what went wrong, then the rest; of each the newest first. Two that are
    equal keep their place.
    """
    if not by:
        made = sorted(runs, key=lambda run: (_rank(run), -_newness(run)))
        return made[::-1] if reverse else made
    key = _KEYS[by]
    known = [(value, run) for run in runs if (value := key(run)) is not None]
    left = [run for run in runs if key(run) is None]
    known.sort(key=lambda pair: pair[0], reverse=reverse)
    return [run for _, run in known] + left


def _rank(run: RunRecord) -> int:
    return 0 if run.view.is_live else 1 if run.view.state in BAD else 2


def _newness(run: RunRecord) -> float:
    """Of a run that is over when it ended, else when it was made: a start or a stop alone moves a row."""
    return run.view.created if run.view.is_live else run.view.since
