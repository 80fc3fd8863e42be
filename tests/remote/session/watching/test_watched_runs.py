"""Watched runs: what is found becomes runs, its files' bytes become theirs, and nobody else's are touched."""

from collections.abc import Callable
from dataclasses import replace

import pytest

from remote.protocol.arguments import FilesArgs
from remote.protocol.errors import CallError
from remote.protocol.results import FilesFound, FoundFile
from remote.protocol.views import RunView
from remote.session.link.link_state import LinkState
from remote.session.updates import Bytes, HostSeen, RunChanged, RunsSeen, StreamEnd, Truncated, Update
from remote.session.watching.watched_runs import LOOK_S, OLDER_AGENT, SILENT_S, WHOLE, WatchedRuns
from tests.tui.fake import HELLO, WALL, view

OWN = view("own-aaaaaa")


class Host:
    """A session beneath: what it was asked, and its clock."""

    def __init__(self, *patterns: str) -> None:
        self.link = LinkState("connected", 0.001, 0.0, 0)
        self.now = 1000.0
        self.asked: list[tuple[FilesArgs, Callable[[FilesFound | CallError], None]]] = []
        self.opened: dict[int, tuple[str, int, bool]] = {}
        self.closed: list[int] = []
        self.watched = WatchedRuns(
            self, patterns, lambda args, to: self.asked.append((args, to)), lambda: self.now
        )

    def watch(self, path: str, cursor: None = None, last: int = 0, goes_on: bool = True) -> int:
        self.opened[key := 100 + len(self.opened)] = (path, last, goes_on)
        return key

    def unfollow(self, key: int) -> None:
        assert not self.watched.unfollow(key)
        self.closed.append(key)

    def turn(self, *updates: Update, pause: float = 0.0) -> list[Update]:
        self.now += pause
        return self.watched.through(updates)

    def answer(self, *files: FoundFile, wall: float = WALL) -> list[Update]:
        """Let what was asked be answered, and tell what comes of it."""
        _, to = self.asked.pop()
        to(FilesFound(files=list(files), wall=wall))
        return self.turn()

    def look(self, *files: FoundFile, wall: float = WALL) -> list[Update]:
        self.turn(pause=LOOK_S)
        return self.answer(*files, wall=wall)


def file(path: str, bytes_: int = 10, at: float = WALL - 1, pattern: int = 0, folder: str = "") -> FoundFile:
    return FoundFile(path=path, bytes=bytes_, at=at, pattern=pattern, folder=folder)


@pytest.fixture
def host() -> Host:
    made = Host("/exp/*/train.log", "/late/train.log")
    assert made.turn(RunsSeen((OWN,), WALL))  # it asks at once
    return made


def views(updates: list[Update]) -> dict[str, RunView]:
    (seen,) = (update for update in updates if isinstance(update, RunsSeen))
    return {run.run_id: run for run in seen.runs}


def test_what_is_found_stands_beside_the_runs_of_the_host(host: Host) -> None:
    assert list(host.asked[0][0].patterns) == ["/exp/*/train.log", "/late/train.log"]
    told = views(host.answer(file("/exp/a/train.log"), file("/exp/b/train.log", at=WALL - SILENT_S - 1)))
    assert set(told) == {"own-aaaaaa", "a/train.log", "b/train.log", "late/train.log"}
    assert [told[name].state for name in ("a/train.log", "b/train.log", "late/train.log")] == [
        "writing", "silent", "awaited",
    ]  # fmt: skip
    assert told["own-aaaaaa"] == OWN
    assert not told["a/train.log"].resumable
    assert [one.is_live for one in told.values()] == [True, True, False, False]


def test_it_is_writing_while_it_grows_then_silent_then_gone_and_comes_back(host: Host) -> None:
    host.answer(file("/exp/a/train.log"))
    assert host.turn() == []  # no answer is due
    assert host.look(file("/exp/a/train.log"), wall=WALL + SILENT_S + 9) == []  # our own clock counts
    host.now += SILENT_S
    (silent,) = host.look(file("/exp/a/train.log"))
    (writing,) = host.look(file("/exp/a/train.log", 20))
    (gone,) = host.look()
    assert host.look() == []  # told once
    (again,) = host.look(file("/exp/a/train.log", 30))
    news = [one.run for one in (silent, writing, gone, again) if isinstance(one, RunChanged)]
    assert [run.state for run in news] == ["silent", "writing", "gone", "writing"]
    assert [run.seq for run in news] == sorted({run.seq for run in news})


def test_a_slow_writer_is_silent_after_its_own_pauses(host: Host) -> None:
    host.answer(file("/exp/a/train.log"))
    for size in (20, 30):
        host.now += SILENT_S - 2 * LOOK_S
        assert host.look(file("/exp/a/train.log", size)) == []
    host.now += 2 * SILENT_S
    assert host.look(file("/exp/a/train.log", 30)) == []
    host.now += SILENT_S
    (silent,) = host.look(file("/exp/a/train.log", 30))
    assert isinstance(silent, RunChanged)
    assert silent.run.state == "silent"


def test_a_promised_file_takes_its_place_when_it_comes(host: Host) -> None:
    assert "late/train.log" in views(host.answer(file("/exp/a/train.log")))
    (told,) = host.look(file("/exp/a/train.log"), file("/late/train.log", pattern=1))
    assert isinstance(told, RunChanged)
    assert (told.run.run_id, told.run.state, told.run.log_file) == ("late/train.log", "writing", "train.log")
    (gone,) = host.look(file("/exp/a/train.log"))
    assert isinstance(gone, RunChanged)
    assert (gone.run.run_id, gone.run.state) == ("late/train.log", "gone")


def test_runs_of_the_host_that_came_meanwhile_are_not_forgotten(host: Host) -> None:
    host.turn(RunChanged(view("new-bbbbbb")))
    assert "new-bbbbbb" in views(host.answer(file("/exp/a/train.log")))
    seen = views(host.turn(RunsSeen((OWN,), WALL)))
    assert set(seen) == {"own-aaaaaa", "a/train.log", "late/train.log"}


def test_bytes_of_its_log_become_the_runs_and_others_pass(host: Host) -> None:
    host.answer(file("/exp/a/train.log"))
    key = host.watched.follow("a/train.log", "log", 1 << 16)
    assert host.opened == {key: ("/exp/a/train.log", WHOLE, True)}  # it is small
    mine, other = Bytes(key, "", "watch", 1, 0, b"x", "train.log"), Bytes(7, "own-aaaaaa", "log", 1, 0, b"y")
    assert host.turn(mine, other, Truncated(key, "", 2)) == [
        replace(mine, run_id="a/train.log", what="log"),
        other,
        Truncated(key, "a/train.log", 2),
    ]
    assert host.watched.unfollow(key)
    assert host.closed == [key]
    assert not host.watched.unfollow(7)


def test_files_of_metrics_are_read_one_after_the_other_and_the_last_goes_on() -> None:
    host = Host("/tb")
    host.turn(RunsSeen((), WALL))
    names = [f"/tb/events.out.tfevents.{n}" for n in (1, 2)]
    (run,) = views(host.answer(*(file(name, folder="/tb") for name in names))).values()
    assert (run.kind, run.dir) == ("watched", "/tb")
    key = host.watched.follow(run.run_id, "events", 1 << 26)
    first = host.turn(Bytes(key, "", "watch", 1, 0, b"x"), StreamEnd(key))
    second = host.turn(Bytes(101, "", "watch", 1, 0, b"y"))
    assert [(path, goes_on) for path, _, goes_on in host.opened.values()] == [
        (names[0], False),
        (names[1], True),
    ]
    told = [update for update in (*first, *second) if isinstance(update, Bytes)]
    assert [(one.key, one.what, one.data) for one in told] == [(key, "events", b"x"), (key, "events", b"y")]
    assert told[0].gen < told[1].gen
    assert host.watched.unfollow(key)
    assert host.closed == [101]
    assert host.watched.follow(run.run_id, "log", 1) < 0  # it has none, and nothing is opened for it
    assert len(host.opened) == 2


def test_why_a_file_cannot_be_read_is_told_with_the_next_look(host: Host) -> None:
    host.answer(file("/exp/a/train.log"))
    key = host.watched.follow("a/train.log", "log", 1)
    host.turn(StreamEnd(key, "", "the file cannot be read: Permission denied"))
    (seen,) = host.look(file("/exp/a/train.log"))
    assert isinstance(seen, RunsSeen)
    assert seen.troubles == ("a/train.log: the file cannot be read: Permission denied",)


def test_an_agent_of_before_is_asked_once_and_told_of_until_another_answers(host: Host) -> None:
    host.asked.pop()[1](CallError("unknown_verb", "unknown verb 'files'"))
    (seen,) = host.turn()
    assert isinstance(seen, RunsSeen)
    assert (seen.runs, seen.troubles) == ((OWN,), (OLDER_AGENT,))
    assert host.turn(pause=100 * LOOK_S) == []
    assert host.asked == []
    host.turn(HostSeen(HELLO))
    assert len(host.asked) == 1


def test_an_answer_that_a_lost_link_swallowed_is_asked_for_again(host: Host) -> None:
    host.asked.clear()
    host.link = LinkState("lost")
    host.turn(pause=LOOK_S)
    host.link = LinkState("connected")
    host.turn(HostSeen(HELLO))
    assert len(host.asked) == 1


def test_runs_of_one_name_are_told_apart_by_more_of_their_path() -> None:
    host = Host("/exp/**/train.log")
    host.turn(RunsSeen((), WALL))
    told = views(host.answer(file("/exp/x/a/train.log"), file("/exp/y/a/train.log", at=WALL - 2)))
    assert {run.dir: run.run_id for run in told.values()} == {
        "/exp/x/a/train.log": "a/train.log",
        "/exp/y/a/train.log": "y/a/train.log",
    }
