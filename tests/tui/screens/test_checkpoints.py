"""Screen 6: checkpoints of a host and of this machine side by side, and what is done with the chosen one."""

from dataclasses import replace

import pytest

from remote.protocol.errors import CallError
from remote.protocol.trained import RetentionAnswer
from remote.protocol.views import LastCheckpoint
from tests.trials import trials
from tests.tui.driving import connected, front, picture, press, settle, toasts
from tests.tui.fake import START, WALL, FakeActs, FakeShelves, cockpit, view
from tests.tui.screens.test_compare import told
from tui.keys import EVERYWHERE, keys_of
from tui.screens.dialogs.start import StartForm
from tui.store.kept.shelf import CheckpointShelf, ShelfRow, chain_of, policy_words

RUN = "demo-aaaaaa"
NEWEST = ShelfRow(
    "step-00000300", 300, on_host=True, at=WALL - 60, kind="periodic", bytes=3_400_000,
    metrics={"val_ce": 1.91, "ce": 1.76}, primary="val_ce", parent="step-00000200", is_latest=True,
)  # fmt: skip
MIDDLE = replace(
    NEWEST, name="step-00000200", step=200, here="whole", metrics={"val_ce": 1.85},
    parent="other/step-00000100", is_latest=False, is_best=True,
)  # fmt: skip
BROKEN = ShelfRow("step-00000100", 100, on_host=True, why="its manifest is cut")
KEPT = ShelfRow("step-00000050", 50, here="whole", bytes=9)
SHELF = CheckpointShelf(START, (NEWEST, MIDDLE, BROKEN, KEPT), "/far/checkpoints", "/near")


async def test_there_and_here_side_by_side_and_each_key_on_the_chosen_one() -> None:
    (local,), acts, shelves = connected(), FakeActs(), FakeShelves()
    acts.results["local", f"details {RUN}"] = told(RUN, 0.004)
    app = cockpit(local, acts=acts, shelves=shelves)
    async with app.run_test(size=(160, 50)) as pilot:
        local.connect(view(state="stopped", resumable=True, why_not=""))
        await settle(pilot, app)
        await press(pilot, app, "6")
        assert "No checkpoint yet: one is saved at its end" in picture(app)
        shelves.shelf = SHELF
        last = LastCheckpoint(step=300, name=NEWEST.name, sha256="ab" * 32, at=WALL)
        local.change(view(seq=4, state="stopped", resumable=True, why_not="", last_checkpoint=last))
        await settle(pilot, app)
        await press(pilot, app, "g")
        text = picture(app)
        assert shelves.reads == 2, "it is read anew when something was saved"
        for word in (
            "★ best",
            "● latest",
            "1.91",
            "3.4 MB",
            "✔ there",
            "– not here",
            "✔ here",
            "✖ unreadable",
        ):
            assert word in text, word
        assert "step-00000300 ← step-00000200 ← other/step-00000100" in text
        for key in ("p", "c"):  # a pull begins, and is asked to end
            await press(pilot, app, key)
        ((transfer, ended),) = shelves.begun
        assert (transfer.kind, transfer.name, transfer.is_dropped) == ("pull", NEWEST.name, True)
        transfer.ended, transfer.ok, transfer.message = START, True, "it is here"
        ended()
        await press(pilot, app, "j", "v")
        assert shelves.begun[-1][0].kind == "verify"
        await press(pilot, app, "b")
        form = app.screen
        assert isinstance(form, StartForm)
        assert f"from {RUN}/step-00000200" in picture(app)
        assert "optim.lr=0.004" in picture(app)
        await press(pilot, app, "enter")
        assert acts.requests[-1].parent == f"{RUN}/step-00000200"
        while front(app) != "Checkpoints":
            app.pop_screen()
        await press(pilot, app, "r")
        assert "from step-00000200?" in picture(app)
        await press(pilot, app, "r")
        assert ("resume", "local", f"{RUN} step-00000200") in acts.done
        await press(pilot, app, "j", "r")
        assert any("its manifest is cut" in said for said in toasts(app))
        for size in ((100, 30), (80, 24)):
            await pilot.resize_terminal(*size)
            await settle(pilot, app)
            assert "✔ here" in picture(app), picture(app)


async def test_of_a_host_that_is_away_the_copies_here_are_shown() -> None:
    (local,), shelves = connected(), FakeShelves()
    shelves.shelf = CheckpointShelf(START, (KEPT,), "", "/near", "local is not reachable")
    app = cockpit(local, shelves=shelves)
    async with app.run_test(size=(100, 30)) as pilot:
        local.connect(view())
        await settle(pilot, app)
        local.lose()
        await settle(pilot, app)
        await press(pilot, app, "6")
        text = picture(app)
        assert "local was not read: local is not reachable" in text
        assert "– not there" in text
        await press(pilot, app, "b")
        assert any("not reachable" in said for said in toasts(app))


async def test_what_the_policy_lets_go_is_shown_whole_done_exactly_so_and_undone() -> None:
    (local,), shelves = connected(), FakeShelves()
    shelves.shelf = replace(
        SHELF, rows=(replace(NEWEST, pin="pinned"), *SHELF.rows[1:]), trash=("step-00000010",)
    )
    shelves.planned = RetentionAnswer(
        keep={NEWEST.name: "latest", BROKEN.name: "unreadable"}, remove=[MIDDLE.name], plan="0123456789abcdef"
    )
    app = cockpit(local, shelves=shelves)
    async with app.run_test(size=(100, 30)) as pilot:
        local.connect(view())
        await settle(pilot, app)
        await press(pilot, app, "6", "g")
        assert "no policy lets it go" in picture(app)
        assert "1 in its trash" in picture(app)
        await press(pilot, app, "P", "j", "P", "V")
        assert shelves.done == [("unpin", NEWEST.name), ("pin", MIDDLE.name)]
        ((transfer, ended),) = shelves.begun
        assert (transfer.kind, transfer.name) == ("prove", MIDDLE.name)
        transfer.ended, transfer.ok, transfer.message = START, False, "it is torn"
        ended()
        for size in ((160, 50), (80, 24)):
            await pilot.resize_terminal(*size)
            await press(pilot, app, "w")
            text = picture(app)
            for word in (
                "1 checkpoint",
                "into its trash?",
                "7 days",
                "goes   3.4 MB",
                "the newest",
                "cannot be read",
            ):
                assert word in text, word
            assert text.index(MIDDLE.name) < text.index("stays") < text.index(NEWEST.name)
            await press(pilot, app, "x", "K", "escape")
        assert shelves.done[2:] == []
        await press(pilot, app, "w", "w", "u")
        assert shelves.done[2:] == [("retain", "0123456789abcdef"), ("restore", RUN)]
        shelves.planned = RetentionAnswer(keep={NEWEST.name: "latest"}, remove=[])
        await press(pilot, app, "w")
        assert "lets nothing go" in picture(app)
        await press(pilot, app, "w")
        shelves.planned = CallError("refused", "pins.json cannot be read", "mend or remove it")
        await press(pilot, app, "w")
        assert any("mend or remove it" in said for said in toasts(app))
        assert shelves.done[4:] == []


def test_a_lineage_ends_where_nothing_is_named_and_never_goes_round() -> None:
    rows = [ShelfRow("b", 2, parent="a"), ShelfRow("a", 1, parent="b")]
    assert chain_of(rows, "b") == ["a", "b"]
    assert chain_of(rows, "c") == []


def test_the_policy_is_told_in_words() -> None:
    texts = {"keep_last": "3", "keep_best": "1", "keep_every": "0", "max_gb": "20.0", "pins": ""}
    words = policy_words({f"checkpoint.{name}": text for name, text in texts.items()})
    assert words == "keeps the newest 3, the best 1 and pinned ones, up to 20.0 GB"
    assert policy_words({}) == policy_words(None) == ""


@pytest.mark.chaos
async def test_no_key_of_the_screen_is_dead() -> None:
    (local,), shelves = connected(), FakeShelves()
    shelves.shelf = SHELF
    app = cockpit(local, shelves=shelves)
    async with app.run_test(size=(100, 30)) as pilot:
        local.connect(view(state="stopped", resumable=True, why_not=""))
        await settle(pilot, app)
        await press(pilot, app, "6", "g")
        here = [key for key in keys_of("checkpoints") if key.where != EVERYWHERE and key.action != "back"]
        for key in here[:: trials(3, 1)]:
            app.clear_notifications()
            was = picture(app), front(app), toasts(app)
            await press(pilot, app, key.keys)
            assert (picture(app), front(app), toasts(app)) != was, f"{key.keys} is dead"
            while front(app) not in ("Checkpoints", "Fleet"):
                app.pop_screen()
