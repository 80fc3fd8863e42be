"""The table as it is in force: with an operator's own keys in it. One cockpit a process sets them."""

import re
from collections.abc import Iterator, Mapping
from dataclasses import replace

from textual.binding import Binding

from tui.keys.table import TABLE, Key, Where

Changes = Mapping[Key, tuple[str, str]]
"""Key of the table -> Textual's name of the key instead, and how a person writes it."""
_SAID = re.compile(r"`([^`]+)`")
_own: dict[Key, Key] = {}


def put_in_force(changes: Changes) -> None:
    """Have these keys in place of the table's, until others are put in force."""
    _own.clear()
    changed = {key: replace(key, keys=keys, shown=shown) for key, (keys, shown) in changes.items()}
    for key in TABLE:
        words = {
            one.shown: new.shown
            for one, new in changed.items()
            if one == key or set(one.where) & set(key.where)
        }
        text = _SAID.sub(lambda found, words=words: f"`{words.get(found[1], found[1])}`", key.text)  # type: ignore[misc]
        _own[key] = replace(changed.get(key, key), text=text)


def keys_in_force() -> list[Key]:
    """Every key, in the table's order."""
    return [_own.get(key, key) for key in TABLE]


def keys_of(where: Where) -> list[Key]:
    """The keys of one screen, in the table's order."""
    return [key for key in keys_in_force() if where in key.where]


def key_of(action: str) -> Key:
    """The key of an action: a dialog asks for the very key that opened it.

    Raises:
        KeyError: no key has that action.
    """
    for key in keys_in_force():
        if key.action == action:
            return key
    raise KeyError(action)


def shown(action: str, where: Where | None = None) -> str:
    """How a person writes the key of an action, on that screen where it has several."""
    found = [key for key in keys_in_force() if key.action == action and (where is None or where in key.where)]
    return found[0].shown if found else key_of(action).shown


def presses(action: str, pressed: str) -> bool:
    """Whether what was pressed, by Textual's name, is the key of that action."""
    return pressed in key_of(action).keys.split(",")


def bindings(where: Where) -> list[Binding | tuple[str, str] | tuple[str, str, str]]:
    """What Textual dispatches on that screen; `keymap` says what of it an operator has changed."""
    return [
        Binding(
            key.keys,
            key.action,
            key.label,
            show=False,
            key_display=key.shown,
            priority=key.first,
            id=f"{where}.{key.action}",
        )
        for key in TABLE
        if where in key.where
    ]


def keymap() -> dict[str, str]:
    """What Textual is to dispatch by another key: name of a binding -> keys."""
    changed = ((key, _own[key]) for key in TABLE if key in _own and _own[key].keys != key.keys)
    return {f"{where}.{key.action}": own.keys for key, own in changed for where in key.where}


def markdown() -> Iterator[str]:
    """The README's table, line by line: as it ships."""
    yield "| key | where | name | what it does |"
    yield "|---|---|---|---|"
    for key in TABLE:
        shown = "`|`" if key.shown == "|" else f"`{key.shown}`"
        yield f"| {shown} | {key.places} | {key.action} | {key.text} |"
