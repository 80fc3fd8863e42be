"""A dialog's keys are the table's: what opens a question is what answers it."""

from typing import Any

import pytest
from textual.binding import Binding
from textual.screen import Screen

from tui.keys import TABLE, key_of
from tui.screens.dialogs.alert_list import AlertList
from tui.screens.dialogs.confirm import ACTIONS, Confirm
from tui.screens.dialogs.help import Help


def bindings_of(dialog: type[Screen[Any]]) -> dict[str, str]:
    """Key -> action, of a dialog."""
    found = [binding for binding in dialog.BINDINGS if isinstance(binding, Binding)]
    return {key: binding.action for binding in found for key in binding.key.split(",")}


@pytest.mark.parametrize("action", ACTIONS)
def test_the_key_that_asks_is_the_key_that_confirms(action: str) -> None:
    assert bindings_of(Confirm)[key_of(action).keys] == f"same('{key_of(action).keys}')"
    assert Confirm(action, "really?")._key == key_of(action).keys


def test_what_opens_a_list_closes_it() -> None:
    assert key_of("alerts").keys in bindings_of(AlertList)
    assert key_of("help").keys in bindings_of(Help)


def test_an_action_without_a_key_is_an_error() -> None:
    assert {key.action for key in TABLE} >= set(ACTIONS)
    with pytest.raises(KeyError):
        key_of("no_such_action")
