"""A dialog's keys are the table's: what opens a question is what answers it."""

import pytest
from textual.app import App

from remote.protocol.trained import RetentionAnswer
from tui.keys import TABLE, key_of, put_in_force
from tui.screens.dialogs.alert_list import AlertList
from tui.screens.dialogs.confirm import ACTIONS, Confirm
from tui.screens.dialogs.help import Help
from tui.screens.dialogs.retention import RetentionDialog
from tui.store.store import Store


async def test_the_key_that_asks_is_the_key_that_confirms_and_no_other() -> None:
    put_in_force({})
    app, answers = App[None](), list[bool | None]()
    plan = RetentionAnswer(keep={}, remove=["step-00000001"])
    async with app.run_test() as pilot:
        for action in (*ACTIONS, "retain"):
            asks: Confirm | RetentionDialog = (
                RetentionDialog("run", "box", plan, ()) if action == "retain" else Confirm(action, "really?")
            )
            app.push_screen(asks, answers.append)
            await pilot.pause()
            for other in {key_of(one).keys for one in (*ACTIONS, "pull")} - {key_of(action).keys}:
                await pilot.press(other)
            assert app.screen is asks
            await pilot.press(key_of(action).keys)
            assert answers.pop() is True


async def test_what_opens_a_list_closes_it() -> None:
    put_in_force({})
    app = App[None]()
    async with app.run_test() as pilot:
        for action, page in (("alerts", AlertList(Store([]), 0.0, 0.0)), ("help", Help())):
            app.push_screen(page)
            await pilot.pause()
            await pilot.press(key_of(action).keys)
            assert app.screen is not page


def test_an_action_without_a_key_is_an_error() -> None:
    assert {key.action for key in TABLE} >= set(ACTIONS)
    with pytest.raises(KeyError):
        key_of("no_such_action")
