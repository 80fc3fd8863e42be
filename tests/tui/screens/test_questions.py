"""What hosts ask before they are reached: dialogs that come when called, and never by themselves."""

import pytest
from textual.widgets import Input

from remote.protocol.errors import Question
from tests.tui.driving import connected, front, picture, press, settle, toasts
from tests.tui.fake import FakeActs, cockpit, view
from tui.screens.dialogs.question import describe

FINGERPRINT = "SHA256:uNiVztksCsDhcc0u9e8BrrQrXvF0ZzZ3vRZ2n5dQx3E"
KEY = Question("host_key", "box", "jump:22", "ssh-ed25519", FINGERPRINT)
PASSPHRASE = Question("passphrase", "box", "/keys/id_ed25519")
PROXY = Question("proxy_command", "box", "cloudflared access ssh --hostname box.example", "", "ab" * 32)


@pytest.mark.parametrize("size", [(160, 50), (80, 24)])
async def test_a_new_key_is_shown_whole_and_stored_only_by_its_own_key(size: tuple[int, int]) -> None:
    (local, box), acts = connected("box"), FakeActs()
    app = cockpit(local, box, acts=acts)
    async with app.run_test(size=size) as pilot:
        local.connect(view())
        box.link_is("key_unknown", question=KEY, reason="box is not known yet")
        await settle(pilot, app)
        assert front(app) == "Fleet"  # it waits to be asked for
        assert "! host key unknown" in picture(app)
        assert any("Press !" in toast for toast in toasts(app))
        await press(pilot, app, "exclamation_mark")
        assert front(app) == "QuestionDialog"
        for word in (FINGERPRINT, "ssh-ed25519", "jump:22", "(on the way to box)", "a accepts it"):
            assert word in picture(app), word
        await press(pilot, app, "enter", "x", "K", "y")
        assert (front(app), acts.done) == ("QuestionDialog", [])
        await press(pilot, app, "escape")
        assert (front(app), acts.done) == ("Fleet", [])
        await press(pilot, app, "down", "down", "enter")
        assert app.screen_stack[0].chosen_host() == "box"  # type: ignore[attr-defined]
        await press(pilot, app, "a")
        assert acts.done == [("answer host_key", "box", "yes")]


async def test_a_changed_key_is_a_hard_stop_with_both_fingerprints() -> None:
    (local, box), acts = connected("box"), FakeActs()
    app = cockpit(local, box, acts=acts)
    async with app.run_test(size=(100, 30)) as pilot:
        other = FINGERPRINT.replace("u", "w")
        box.link_is("key_changed", reason=f"it shows {FINGERPRINT}, known is {other} (known_hosts line 7)")
        await settle(pilot, app)
        await press(pilot, app, "exclamation_mark")
        text = picture(app)
        for word in (FINGERPRINT, other, "line 7", "CHANGED", "in a shell"):
            assert word in text, word
        assert "accepts" not in text
        await press(pilot, app, "a", "enter", "y")
        assert (front(app), acts.done) == ("QuestionDialog", [])
        await press(pilot, app, "escape", "R")
        assert acts.done[-1] == ("reconnect", "box", "")


async def test_a_passphrase_is_never_shown_and_is_handed_on_once() -> None:
    (local, box), acts = connected("box"), FakeActs()
    app = cockpit(local, box, acts=acts)
    async with app.run_test(size=(100, 30)) as pilot:
        box.link_is("needs_passphrase", question=PASSPHRASE)
        await settle(pilot, app)
        await press(pilot, app, "exclamation_mark")
        assert "/keys/id_ed25519" in picture(app)
        await press(pilot, app, *"canary")
        assert "canary" not in picture(app)
        assert "canary" not in app.export_screenshot()
        field = app.screen.query_one("#secret", Input)
        await press(pilot, app, "enter")
        assert acts.done == [("answer passphrase", "box", "canary")]
        assert (front(app), field.value) == ("Fleet", "")
        assert not any(
            "canary" in text for text in (*toasts(app), picture(app), repr(app.store.hosts["box"]))
        )


async def test_a_proxy_command_is_shown_in_full_before_it_runs() -> None:
    (local, box), acts = connected("box"), FakeActs()
    app = cockpit(local, box, acts=acts)
    async with app.run_test(size=(100, 30)) as pilot:
        box.link_is("refused", reason="a ProxyCommand is not confirmed", question=PROXY)
        await settle(pilot, app)
        assert "! proxy to confirm" in picture(app)
        await press(pilot, app, "exclamation_mark")
        assert PROXY.subject in picture(app)
        await press(pilot, app, "a")
        assert acts.done == [("answer proxy_command", "box", "yes")]


async def test_no_question_steals_a_key_in_the_middle_of_a_kill() -> None:
    (local, box), acts = connected("box"), FakeActs()
    app = cockpit(local, box, acts=acts)
    async with app.run_test(size=(100, 30)) as pilot:
        local.connect(view())
        await settle(pilot, app)
        await press(pilot, app, "K")
        box.link_is("key_unknown", question=KEY)
        await settle(pilot, app)
        assert front(app) == "Confirm"
        await press(pilot, app, "exclamation_mark", "a")
        assert (front(app), acts.done) == ("Confirm", [])
        await press(pilot, app, "K")
        assert acts.done == [("kill", "local", "demo-aaaaaa")]


async def test_nothing_asked_is_said_so() -> None:
    (local,) = connected()
    app = cockpit(local)
    async with app.run_test(size=(100, 30)) as pilot:
        local.connect()
        await settle(pilot, app)
        await press(pilot, app, "exclamation_mark")
        assert "no host asks anything" in toasts(app)


def test_the_hop_is_named_only_where_it_is_another_machine() -> None:
    assert "on the way" not in describe(Question("host_key", "box", "box:22", "ssh-rsa", FINGERPRINT))
    assert "on the way to box" in describe(KEY)
