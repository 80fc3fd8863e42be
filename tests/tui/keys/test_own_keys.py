"""An operator's own keys: they act, every page says so, and what is wrong costs itself alone."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from remote.hosts.client_state import client_folder, make_client_folder
from remote.protocol.sanitise import steers
from tests.tui.driving import front, picture, press, settle, toasts
from tests.tui.fake import FakeActs, FakeSession, cockpit, view
from tui.keys import TABLE, key_of, keymap, keys_of, markdown, own_keys, put_in_force, shown
from tui.keys.keys_file import OWN_KEYS, take_own_keys
from tui.own_rules import own_rules
from tui.screens.dialogs.help import page


@pytest.fixture(autouse=True)
def as_it_ships() -> Iterator[None]:
    yield
    put_in_force({})


def write(text: str) -> Path:
    make_client_folder()
    path = client_folder(OWN_KEYS)
    path.write_text(text, encoding="utf-8")
    path.chmod(0o600)
    return path


async def test_a_changed_key_acts_and_help_footer_dialog_and_palette_say_so() -> None:
    write('stop: e\nkill: ctrl+k\nfilter: "|"\nhelp: f1\nhold: ctrl+c\n')
    session, acts = FakeSession(), FakeActs()
    app = cockpit(session, acts=acts)
    async with app.run_test(size=(160, 50)) as pilot:
        session.connect(view())
        await settle(pilot, app)
        app.tick()
        assert any("hold: ctrl+c is no key" in said for said in toasts(app)), "the rest is in force"
        assert "e stop" in picture(app).splitlines()[-1]
        await press(pilot, app, "x", "K", "question_mark")
        assert front(app) == "Fleet", "the old keys are free"
        await press(pilot, app, "e")
        assert "e again: stop it" in picture(app)
        await press(pilot, app, "x")
        assert (front(app), acts.done) == ("Confirm", [])
        await press(pilot, app, "e")
        await press(pilot, app, "ctrl+k", "ctrl+k")
        assert [verb for verb, *_ in acts.done] == ["stop", "kill"]
        await press(pilot, app, "f1")
        assert front(app) == "Help"
        assert "stop with a checkpoint; `e` again does it" in page("fleet").plain
        await press(pilot, app, "f1")
        assert front(app) == "Fleet"
        commands = {one.title: one.help for one in app.get_system_commands(app.screen)}
        assert "(e)" in next(text for title, text in commands.items() if title.startswith("stop:"))


def test_what_is_wrong_is_told_with_its_remedy_and_costs_itself_alone() -> None:
    told = {
        "stopp": "e",
        "kill": "j",
        "reap": "ctrl+m",
        "resume": "e",
        "fleet": "e",
        "hold": 7,
        "compare.pin": "t",
        "checkpoints.nothing": "t",
        "start": "E",
    }
    changes, faults = own_keys(told, "keys.yaml")
    assert sorted(key.action for key in changes) == ["pin", "start"]
    for said in (
        "stopp: there is no such action; did you mean stop?",
        "kill: j is move(1) on Fleet; choose another key, or give move(1) one",
        "reap: ctrl+m is no key that every terminal sends",
        "resume: its key stays",
        "fleet: its key stays",
        "hold: a number opens a screen",
        "checkpoints.nothing: there is no such action",
    ):
        assert sum(said in fault for fault in faults) == 1, (said, faults)
    assert len(faults) == 7


def test_two_keys_may_change_places_and_one_that_is_freed_may_be_taken() -> None:
    changes, faults = own_keys({"stop": "K", "kill": "x", "reap": "K", "end": "x"}, "keys.yaml")
    put_in_force(changes)
    assert (faults, shown("stop"), shown("kill", "run")) == ([], "K", "x")
    changes, faults = own_keys({"stop": "K", "kill": "x"}, "keys.yaml")
    assert faults == []
    _, faults = own_keys({"stop": "K"}, "keys.yaml")
    assert faults != [], "nobody has freed it"


def test_a_file_that_cannot_be_read_is_one_sentence_and_the_keys_are_as_they_ship() -> None:
    put_in_force(own_keys({"stop": "e"}, "keys.yaml")[0])
    for text in ("stop: [", "- stop", "stop: e\nstop: f\n"):
        (fault,) = take_own_keys(write(text))
        assert "keys.yaml" in fault
        assert key_of("stop").shown == "x"
        assert keymap() == {}
    assert take_own_keys(Path("/nowhere")) == []


def test_what_is_said_of_a_file_that_is_no_yaml_quotes_nothing_that_steers() -> None:
    for text in ("stop:-1 e\nkill: ctrl+\u202e\u2066\U000e0041k\n", "\u3164: e\n\u3164: f\n"):
        (fault,) = take_own_keys(write(text))
        assert not steers(fault)
        (fault,) = own_rules(write(text))[1]
        assert not steers(fault)


def test_no_text_of_the_file_steers_the_screen_and_the_readme_is_of_what_ships() -> None:
    before = list(markdown())
    changes, faults = own_keys({"\x1b[2Jstop": "\x1b[2J", "stop": "e"}, "keys.yaml")
    put_in_force(changes)
    assert faults
    assert all(text.isprintable() for text in faults)
    assert list(markdown()) == before
    assert [key.keys for key in keys_of("fleet") if key.action == "stop"] == ["e"]
    assert {key.keys for key in TABLE if key.action == "stop"} == {"x"}
