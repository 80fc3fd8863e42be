"""The keys of the Fleet for runs that one keeps: labels, clone, save, move, and back from the trash."""

from collections.abc import Sequence

import pytest
from textual.widgets import Input, OptionList, Static

from remote.protocol.errors import CallError
from tests.tui.driving import connected, front, picture, press, settle, toasts
from tests.tui.fake import WALL, FakeActs, FakeSession, cockpit, view
from tui.keys import keys_of
from tui.screens.fleet import Fleet
from tui.store.kept.put_away import PutAwayRun

A = view("aa-aaaaaa", name="aa", tags=("paper",))
C = view("cc-cccccc", name="cc", state="succeeded", pid=None, note="good")
RUNS = (A, view("bb-bbbbbb", name="bb", kind="command", created=WALL - 90), C)


def typed(text: str) -> Sequence[str]:
    names = {
        " ": "space",
        "-": "minus",
        "=": "equals_sign",
        ",": "comma",
        ".": "full_stop",
        "'": "apostrophe",
    }
    return [names.get(sign, sign) for sign in text]


async def test_words_about_a_run_and_about_marked_ones() -> None:
    session, acts = FakeSession(), FakeActs()
    app = cockpit(session, acts=acts)
    async with app.run_test(size=(140, 40)) as pilot:
        session.connect(*RUNS)
        await settle(pilot, app)
        await press(pilot, app, "n")
        assert front(app) == "TextPrompt"
        assert "Another name for aa-aaaaaa on local" in picture(app)
        assert app.screen.query_one(Input).value == "aa"
        await press(pilot, app, "enter")  # the same name changes nothing
        await press(pilot, app, "n", "2", "enter", "n", "escape")
        await press(pilot, app, "t")
        assert "Now: paper" in picture(app)
        await press(pilot, app, *typed("two, -paper"), "enter")
        await press(pilot, app, "G", "N", *typed(" one"), "enter")
        assert acts.done == [
            ("label", "local", "aa-aaaaaa {'name': 'aa2'}"),
            ("label", "local", "aa-aaaaaa {'add': ['two'], 'remove': ['paper']}"),
            ("label", "local", "cc-cccccc {'note': 'good one'}"),
        ]
        acts.done.clear()
        await press(pilot, app, "asterisk", "t", *typed("night"), "enter")
        assert [run.partition(" ")[0] for _, _, run in acts.done] == ["aa-aaaaaa", "bb-bbbbbb", "cc-cccccc"]
        assert "tag: 3 of 3 runs" in toasts(app)
        await press(pilot, app, "n")  # a name is for one
        assert front(app) == "Fleet"
        assert any("one run at a time: esc takes the marks away" in text for text in toasts(app))


async def test_a_run_is_cloned_with_what_is_typed_and_a_live_one_of_ours_saves() -> None:
    session, acts = FakeSession(), FakeActs()
    app = cockpit(session, acts=acts)
    async with app.run_test(size=(140, 40)) as pilot:
        session.connect(*RUNS)
        await settle(pilot, app)
        await press(pilot, app, "c", *typed("a.b='x y' seed=2"), "enter", "c", *typed("a='x"), "enter")
        await press(pilot, app, "S", "G", "S")
        assert acts.done == [
            ("clone", "local", "aa-aaaaaa ['a.b=x y', 'seed=2']"),
            ("save", "local", "aa-aaaaaa"),
        ]
        assert any("close the quotes" in text for text in toasts(app))
        assert any("cc-cccccc is succeeded: only a run of ours" in text for text in toasts(app))
        await press(pilot, app, "asterisk", "S")  # of all, those that can
        assert acts.done[2:] == [("save", "local", "aa-aaaaaa")]


async def test_a_run_goes_where_it_is_told_after_a_question_and_only_while_it_is_what_was_shown() -> None:
    (local, box, lab), acts = connected("box", "lab"), FakeActs()
    app = cockpit(local, box, lab, acts=acts)
    async with app.run_test(size=(140, 40)) as pilot:
        local.connect(*RUNS)
        await settle(pilot, app)
        fleet = app.screen
        assert isinstance(fleet, Fleet)
        fleet.table.choose("run local/aa-aaaaaa")
        await press(pilot, app, "M")
        assert front(app) == "Fleet"
        assert "no other host is connected" in toasts(app)
        box.connect()
        await settle(pilot, app)
        await press(pilot, app, "M")
        assert front(app) == "Picker"
        assert [option.id for option in app.screen.query_one(OptionList).options] == ["o0"]
        assert "goes from local to" in picture(app)
        assert "box " in picture(app)
        await press(pilot, app, "enter")
        assert front(app) == "Confirm"
        said = str(app.screen.query_one("#question", Static).render())
        assert "Move aa-aaaaaa (running, pid 4242) on local to box?" in said
        assert "`photinus move aa-aaaaaa box` goes on" in said
        await press(pilot, app, "x", "escape", "M", "enter", "M")
        assert acts.done == [("move", "local", "aa-aaaaaa box")]
        assert "aa-aaaaaa is over on local" in toasts(app)
        await press(pilot, app, "M", "enter")
        local.change(view("aa-aaaaaa", name="aa", attempt=2, seq=9))
        await settle(pilot, app)
        await press(pilot, app, "M")
        assert len(acts.done) == 1
        assert any("has changed since you looked" in text for text in toasts(app))


async def test_what_was_put_away_is_listed_and_the_chosen_one_comes_back() -> None:
    session, acts = FakeSession(), FakeActs()
    app = cockpit(session, acts=acts)
    async with app.run_test(size=(140, 40)) as pilot:
        session.connect(A)
        await settle(pilot, app)
        await press(pilot, app, "u")
        assert any("nothing is archived on local" in text for text in toasts(app))
        acts.away = CallError("incompatible", "the Photinus of local is older", "photinus hosts deploy local")
        await press(pilot, app, "u")
        assert any("photinus hosts deploy local" in text for text in toasts(app))
        acts.away = (
            PutAwayRun("old-aaaaab", "old", "failed", "trash", WALL - 60),
            PutAwayRun("kept-aaaac", "kept", "succeeded", "archive", WALL - 7200),
        )
        await press(pilot, app, "g", "u")  # on the row of the host
        said = picture(app)
        assert all(word in said for word in ("in the trash", "archived", "2 h ago")), said
        await press(pilot, app, *typed("kept"), "enter", "u", "escape")
        assert acts.done == [("restore", "local", "kept-aaaac")]


@pytest.mark.parametrize("action", ["archive", "trash", "restore", "rename", "tag", "note", "clone", "save",
                                    "move_run", "stop", "kill", "resume", "start"])  # fmt: skip
def test_a_verb_of_every_day_has_its_key_on_the_fleet(action: str) -> None:
    assert [key.acts for key in keys_of("fleet") if key.action == action] == [True]
