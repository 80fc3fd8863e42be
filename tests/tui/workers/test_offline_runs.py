"""What is kept of runs on this machine, and shown while their host is away."""

import os
import stat
from pathlib import Path

import pytest

from remote.hosts.client_state import client_folder, make_client_folder
from tests.tui.driving import picture, press, settle
from tests.tui.fake import WALL, Clock, FakeSession, cockpit, events, view
from tui.store.words import moment
from tui.workers.offline_runs import OfflineRuns, put_piece

RUN = "demo-aaaaaa"


def files(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in folder.iterdir()}


async def heard(session: FakeSession, *, log: str = "a line of the log\n") -> None:
    """A cockpit in which the run was opened, until it is left."""
    app = cockpit(session)
    app.offline = OfflineRuns(lambda: WALL)
    async with app.run_test(size=(160, 50)) as pilot:
        session.connect(view())
        await settle(pilot, app)
        session.send(RUN, "events", events(range(0, 301, 5)))
        await press(pilot, app, "2")
        session.send(RUN, "log", log)
        await settle(pilot, app)
    app.offline.close()


async def test_a_run_that_was_open_once_is_whole_while_its_host_is_away() -> None:
    await heard(FakeSession())
    session, clock = FakeSession(), Clock()
    clock.passed = 7200.0
    app = cockpit(session, clock=clock)
    app.offline = OfflineRuns()
    async with app.run_test(size=(160, 50)) as pilot:
        session.link_is("retrying", attempt=1)
        await settle(pilot, app)
        assert RUN in picture(app)
        assert session.followed == {}  # its host has said nothing of it yet
        await press(pilot, app, "2")
        shown = picture(app)
        for word in ("step 300 / 3,000", f"offline, as of {moment(WALL)}", "? unknown", "a line of the log"):
            assert word in shown, word
        session.connect(view(seq=9, state="stopped"))
        await settle(pilot, app)
        assert "offline" not in picture(app)
        assert {what for _, what, _ in session.followed.values()} == {"events", "log"}
        assert not any("stopped" in alert.text for alert in app.store.alerts)
    app.offline.close()


async def test_without_a_record_nothing_is_shown() -> None:
    await heard(FakeSession())
    (client_folder("offline", "local", RUN) / "run.json").write_text('{"version": 1, "view": {}}')
    app = cockpit(FakeSession())
    app.offline = OfflineRuns()
    async with app.run_test(size=(160, 50)) as pilot:
        await settle(pilot, app)
        assert RUN not in picture(app)
    app.offline.close()


async def test_what_a_host_said_steers_no_terminal_later_either() -> None:
    await heard(FakeSession(), log="\x1b]52;c;AAAA\x07\x1b[2Jred\n")
    session = FakeSession()
    app = cockpit(session)
    app.offline = OfflineRuns()
    async with app.run_test(size=(160, 50)) as pilot:
        await settle(pilot, app)
        await press(pilot, app, "2")
        assert "red" in picture(app)
        assert "\x1b" not in picture(app)
        assert "\x07" not in picture(app)
    app.offline.close()


async def test_it_is_private_and_only_the_first_cockpit_writes() -> None:
    first = OfflineRuns()
    await heard(FakeSession())  # the second one: the lock is held
    assert not list(client_folder("offline").glob("*/*"))
    first.close()
    await heard(FakeSession())
    kept = client_folder("offline", "local", RUN)
    assert set(files(kept)) == {"run.json", "events.0", "log.0"}
    assert {stat.S_IMODE(path.stat().st_mode) for path in kept.iterdir()} == {0o600}
    assert {stat.S_IMODE(path.stat().st_mode) for path in (kept, *list(kept.parents)[:2])} == {0o700}


def test_pieces_join_what_is_kept_and_what_differs_begins_anew(tmp_path: Path) -> None:
    for offset, data in ((0, b"aaa\nbbb\n"), (8, b"ccc\n"), (4, b"bbb\nccc\nddd\n")):
        put_piece(tmp_path, "events", offset, data, 100)
    assert files(tmp_path) == {"events.0": b"aaa\nbbb\nccc\nddd\n"}
    put_piece(tmp_path, "events", 4, b"BBB\n", 100)  # another file has this name by now
    assert files(tmp_path) == {"events.0": b"aaa\nBBB\n"}
    put_piece(tmp_path, "events", 50, b"far\n", 100)
    assert files(tmp_path) == {"events.50": b"far\n"}
    put_piece(tmp_path, "events", 0, b"far\n", 100)
    assert files(tmp_path) == {"events.0": b"far\n"}


def test_a_file_is_bounded_and_keeps_its_newest_lines(tmp_path: Path) -> None:
    for number in range(100):
        put_piece(tmp_path, "log", 4 * number, b"%03d\n" % number, 100)
        (found,) = tmp_path.iterdir()
        data = found.read_bytes()
        assert len(data) <= 100
        assert data.endswith(b"%03d\n" % number)
        assert int(found.name.removeprefix("log.")) + len(data) == 4 * (number + 1)
        assert data[0] == ord("0")


def test_the_runs_heard_longest_ago_go_first(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tui.workers.offline_runs.RUNS_MAX", 2)
    for number in range(4):
        folder = make_client_folder("offline", "local", f"run-aaaaa{chr(98 + number)}")
        (folder / "run.json").write_text("{}")
        os.utime(folder / "run.json", (number, number))
    OfflineRuns().close()
    assert {path.name for path in client_folder("offline", "local").iterdir()} == {"run-aaaaad", "run-aaaaae"}
