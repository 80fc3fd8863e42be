"""Screen 7: who computes on each host and who waits; place, hold and what a run waits for."""

from remote.protocol.errors import CallError
from tests.tui.driving import connected, picture, press, settle, toasts
from tests.tui.fake import START, FakeActs, cockpit, view

NEXT = {"run_id": "next-bbbbbb", "name": "next", "device": "cpu", "place": 1}
HELD = {
    "run_id": "held-cccccc",
    "name": "held",
    "device": "cpu",
    "place": 2,
    "held": True,
    "why": "it is held",
}


async def test_a_run_that_waits_is_moved_held_and_made_to_wait_for_another() -> None:
    (local, box), acts = connected("box"), FakeActs()
    acts.results["local", "queue"] = {"runs": [NEXT, HELD]}
    app = cockpit(local, box, acts=acts)
    async with app.run_test(size=(100, 30)) as pilot:
        waiting = [view(str(row["run_id"]), name=str(row["name"]), state="queued") for row in (NEXT, HELD)]
        local.connect(view(), *waiting)
        box.link_is("lost", since=START)
        await settle(pilot, app)
        await press(pilot, app, "7")
        text = picture(app)
        for word in ("2 wait", "now", "demo", "◷ waits", "‖ held", "it is held", "○ lost"):
            assert word in text, word
        assert ("box", "queue") not in acts.asked
        await press(
            pilot, app, "left_square_bracket", "right_square_bracket", "h", "w", *"demo", "enter", "j", "h"
        )
        assert any("it is the first" in said for said in toasts(app))
        assert acts.done == [
            ("queue", "local", "next-bbbbbb {'place': 2}"),
            ("queue", "local", "next-bbbbbb {'held': True}"),
            ("queue", "local", "next-bbbbbb {'after': 'demo-aaaaaa'}"),
            ("queue", "local", "held-cccccc {'held': False}"),
        ]
        await press(pilot, app, "k", "k", "h")
        assert any("choose a run that waits" in said for said in toasts(app)), (
            "demo computes, it does not wait"
        )
        await pilot.resize_terminal(80, 24)
        await settle(pilot, app)
        assert "◷ waits" in picture(app)


async def test_an_older_host_and_an_empty_line_say_so() -> None:
    (local, box), acts = connected("box"), FakeActs()
    acts.results["box", "queue"] = CallError("incompatible", "the Photinus of box is older", "deploy it")
    app = cockpit(local, box, acts=acts)
    async with app.run_test(size=(100, 30)) as pilot:
        local.connect()
        box.connect()
        await settle(pilot, app)
        await press(pilot, app, "7")
        text = picture(app)
        assert "nobody waits" in text
        assert "the Photinus of box is older" in text
        assert "can wait in line" in text
