"""An operator's own keys: which action gets which key, and what is wrong with the rest."""

import re
from collections.abc import Iterator, Mapping
from difflib import get_close_matches
from typing import Any

from textual.binding import Binding

from tui.keys.in_force import Changes
from tui.keys.table import PLACES, TABLE, Key, Where

CHANGES_MAX = 200
FIXED = frozenset(
    {"back", "clear", "open", "enlarge", "next_panel", "previous_panel", "answer", "reconnect", "resume"}
)
"""Their keys are named by what hosts and dialogs say, or mean the same everywhere."""
NAMED = frozenset({"delete", "insert", "backspace", "space"})
_ALIKE = "cijmqz"  # with ctrl a terminal sends enter or tab, ends or stops the program
_KEY = re.compile(rf"f[1-9]|f1[0-2]|ctrl\+(?![{_ALIKE}])[a-z]")


def own_keys(told: Mapping[Any, object], where: str) -> tuple[Changes, list[str]]:
    """What is changed, and what is wrong, a sentence each.

    Args:
        told: name of an action, or `PLACE.name`, -> a key, as the file has it.
        where: the file, for the sentences.
    """
    changes: dict[Key, tuple[str, str]] = {}
    faults: list[str] = []
    if len(told) > CHANGES_MAX:
        faults.append(f"{where}: more than {CHANGES_MAX} keys: the rest is left out; take some away")
    for name, raw in list(told.items())[:CHANGES_MAX]:
        keys, fault = _meant(name)
        if not fault:
            fault = _why_not(raw)
        if fault:
            faults.append(f"{where}: {_word(name)}: {fault}")
        else:
            changes |= {key: (_pressed(str(raw)), str(raw)) for key in keys}
    return _without_clashes(changes, where, faults), faults


def _meant(name: object) -> tuple[list[Key], str]:
    """The keys of the table that a name means, or why it means none."""
    text = name if isinstance(name, str) else ""
    place, dot, action = text.partition(".")
    found = [
        key for key in TABLE if key.action == (action if dot else text) and (not dot or place in key.where)
    ]
    if not found:
        names = sorted({key.action for key in TABLE if not dot or place in key.where} or {*PLACES})
        close = get_close_matches(action if dot else text, names, 1)
        hint = f"did you mean {close[0]}?" if close else "the README's table of keys has their names"
        return [], f"there is no such action; {hint}"
    fixed = found[0].action in FIXED or found[0].action in PLACES
    return found, "its key stays: take it out" if fixed else ""


def _why_not(raw: object) -> str:
    """Why a key cannot be one; empty where it can."""
    if isinstance(raw, int) and not isinstance(raw, bool):
        return "a number opens a screen; choose a letter, a sign, ctrl+LETTER or f1 to f12"
    if isinstance(raw, str) and (_KEY.fullmatch(raw) or raw in NAMED):
        return ""
    if isinstance(raw, str) and len(raw) == 1 and raw.isascii() and raw.isprintable() and raw not in " ,":
        return "" if not raw.isdigit() else "a number opens a screen; choose a letter"
    return (
        f"{_word(raw)} is no key that every terminal sends; choose a letter, a sign (in quotes), ctrl+LETTER "
        f"(none of {', '.join(_ALIKE)}), f1 to f12, or one of {', '.join(sorted(NAMED))}"
    )


def _pressed(text: str) -> str:
    """Textual's name of a key."""
    return next(iter(Binding.make_bindings([Binding(text, "any")]))).key


def _without_clashes(changes: dict[Key, tuple[str, str]], where: str, faults: list[str]) -> Changes:
    """The changes but for those that would take another action's key; that one may be freed by a third."""
    kept = dict(changes)
    while clash := next(_clashes(kept), None):
        key, other, place = clash
        shown = kept.pop(key)[1]
        faults.append(
            f"{where}: {key.action}: {shown} is {other.action} on {PLACES[place][1]}; choose another key, "
            f"or give {other.action} one"
        )
    return kept


def _clashes(changes: Mapping[Key, tuple[str, str]]) -> Iterator[tuple[Key, Key, Where]]:
    """A changed key, the one that has it already, and where; of two changed ones the later."""
    for place in PLACES:
        taken: dict[str, Key] = {}
        here = [key for key in TABLE if place in key.where]
        for key in sorted(
            here, key=lambda key: (key in changes, list(changes).index(key) if key in changes else 0)
        ):
            for name in changes[key][0].split(",") if key in changes else key.keys.split(","):
                if name in taken and key in changes:
                    yield key, taken[name], place
                taken.setdefault(name, key)


def _word(value: object) -> str:
    """A text, cut, and only what can be printed; of anything else its kind."""
    if not isinstance(value, str):
        return type(value).__name__
    return "".join(one if one.isprintable() else "?" for one in value[:40])
