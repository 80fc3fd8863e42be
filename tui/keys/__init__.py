"""Every key of the cockpit, once, and what an operator made of it."""

from tui.keys.in_force import (
    bindings,
    key_of,
    keymap,
    keys_in_force,
    keys_of,
    markdown,
    presses,
    put_in_force,
    shown,
)
from tui.keys.own_keys import own_keys
from tui.keys.table import ACTING, EVERYWHERE, LOGS, PLACES, RUNS, TABLE, Key, Where

__all__ = [
    "ACTING",
    "EVERYWHERE",
    "LOGS",
    "PLACES",
    "RUNS",
    "TABLE",
    "Key",
    "Where",
    "bindings",
    "key_of",
    "keymap",
    "keys_in_force",
    "keys_of",
    "markdown",
    "own_keys",
    "presses",
    "put_in_force",
    "shown",
]
