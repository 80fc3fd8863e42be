"""Screen 7: who computes on each host and who waits; place, hold and what a run waits for."""

import pytest
from msgspec.structs import replace

from remote.protocol.errors import CallError
from remote.protocol.trained import FeedReport
from remote.protocol.values import read_as
from tests.trials import trials
from tests.tui.driving import connected, front, picture, press, settle, toasts
from tests.tui.fake import START, Clock, FakeActs, FakeShelves, cockpit, view
from tui.keys import EVERYWHERE, keys_of

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


async def test_what_a_run_is_fed_is_shown_below_and_asked_anew() -> None:
    (local,), shelves, clock = connected(), FakeShelves(), Clock()
    done = {"start": 0, "end": 40, "loss_first": 3.0, "loss_last": 2.0, "val_before": 2.5, "val_after": 2.4}
    shards = [
        {
            "shard": "0001-a",
            "state": "done",
            "admitted": {"name": "monday.txt"},
            "begun": done,
            "ended": done,
        },
        {"shard": "0002-b", "state": "waiting", "admitted": {"name": "last.txt"}},
        {"shard": "0003-c", "state": "waiting", "admitted": {"name": "soon.txt", "examples": 12}},
        {"shard": "0004-d", "state": "training", "admitted": {"name": "now.txt"}, "begun": {"start": 40}},
        {"shard": "0005-e", "state": "nonsense"},
    ]
    refused = [{"name": "photo.jpg", "reason": "it is no text"}]
    shelves.fed = read_as(
        FeedReport, {"shards": shards, "waiting": ["0003-c", "0002-b"], "inbox": 2, "refused": refused}
    )
    app = cockpit(local, shelves=shelves, clock=clock)
    async with app.run_test(size=(160, 50)) as pilot:
        local.connect(view(kind="command"))
        await settle(pilot, app)
        await press(pilot, app, "7", "g", "f")
        assert any("choose a run" in said for said in toasts(app))
        for size in ((160, 50), (100, 30), (80, 24)):
            await pilot.resize_terminal(*size)
            await press(pilot, app, "j", "f")
            text = picture(app)
            names = [
                text.index(name) for name in ("now.txt", "soon.txt", "last.txt", "monday.txt", "photo.jpg")
            ]
            assert names == sorted(names), text
            for word in ("2 wait", "2 in the inbox", "‼ refused", "it is no text"[:9], "makes no sense"[:5]):
                assert word in text, word
            await press(pilot, app, "f")
            assert "monday.txt" not in picture(app)
        await press(pilot, app, "f")
        asked = len(shelves.done)
        clock.passed = 5.0
        await settle(pilot, app)
        assert len(shelves.done) == asked
        clock.passed = 11.0
        shelves.fed = CallError("refused", "it is no feed", "")
        await settle(pilot, app)
        await settle(pilot, app)
        assert len(shelves.done) == asked + 1
        assert "it is no feed" in picture(app), "what was heard stands, and why there is nothing newer"
        assert "monday.txt" in picture(app)


async def test_a_feed_is_paused_and_its_files_are_skipped_and_wait_again() -> None:
    (local,), shelves = connected(), FakeShelves()
    shards = [
        {"shard": "0001-a", "state": "training", "admitted": {"name": "now.txt"}, "begun": {"start": 40}},
        {"shard": "0002-b", "state": "failed", "admitted": {"name": "torn.txt"}},
    ]
    shelves.fed = read_as(FeedReport, {"shards": shards, "refused": [{"name": "photo.jpg"}]})
    app = cockpit(local, shelves=shelves)

    def wishes() -> list[str]:
        return [what for kind, what in shelves.done if kind == "wish"]

    async with app.run_test(size=(120, 40)) as pilot:
        local.connect(view(kind="command"))
        await settle(pilot, app)
        await press(pilot, app, "7", "p")
        assert any("no feed is shown" in said for said in toasts(app))
        await press(pilot, app, "j", "f", "p")
        assert wishes() == ["demo-aaaaaa pause"]
        assert any("granted" in said for said in toasts(app))
        asked = shelves.done.count(("feed", "demo-aaaaaa"))
        assert asked == 2, "what it answered may have changed the ledger"
        shelves.fed = replace(shelves.fed, paused="paused by ada")
        await press(pilot, app, "f", "f", "p", "tab", "g", "delete", "escape", "delete")
        assert "Skip now.txt (0001-a, training)?" in picture(app)
        await press(pilot, app, "delete", "j", "t")
        assert wishes()[1:] == ["demo-aaaaaa resume", "demo-aaaaaa skip 0001-a", "demo-aaaaaa retry 0002-b"]
        await press(pilot, app, "j", "t")
        assert any("choose a file of the feed" in said for said in toasts(app)), "a refused file is no shard"
        await press(pilot, app, "ctrl+r", "p", "k", "k", "delete")
        assert (len(wishes()), front(app)) == (4, "Queue")


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


@pytest.mark.chaos
async def test_no_key_of_the_screen_is_dead() -> None:
    (local,), acts, shelves = connected(), FakeActs(), FakeShelves()
    acts.results["local", "queue"] = {"runs": [NEXT, HELD]}
    app = cockpit(local, acts=acts, shelves=shelves)
    async with app.run_test(size=(100, 30)) as pilot:
        waiting = [view(str(row["run_id"]), name=str(row["name"]), state="queued") for row in (NEXT, HELD)]
        local.connect(view(), *waiting)
        await settle(pilot, app)
        await press(pilot, app, "7")
        here = [key for key in keys_of("queue") if key.where != EVERYWHERE and key.action != "back"]
        for key in here[:: trials(3, 1)]:
            app.clear_notifications()
            was = picture(app), front(app), toasts(app), len(acts.done)
            await press(pilot, app, key.keys)
            assert (picture(app), front(app), toasts(app), len(acts.done)) != was, f"{key.keys} is dead"
            while front(app) not in ("Queue", "Fleet"):
                app.pop_screen()
            if front(app) == "Fleet":
                await press(pilot, app, "7")
