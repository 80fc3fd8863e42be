"""The watch over hosts that say what a test wants: what is told, under which key, and what is not."""

from dataclasses import replace
from pathlib import Path

import pytest

from remote.protocol.errors import CallError
from remote.protocol.views import RunView
from remote.session.link.link_state import LinkState
from remote.session.updates import LinkChanged, RunsSeen, StreamBegin
from tests.tui.fake import START, WALL, FakeSession, view
from tui.commands.alerts.followed_runs import FILES_MAX
from tui.commands.alerts.past_endings import FIRST_MAX, endings_to_tell
from tui.commands.alerts.watched_hosts import WatchedHosts
from tui.notices.notice import Notice
from tui.notices.notice_journal import NoticeJournal
from tui.store.store import Store

RUN = "demo-aaaaaa"
HOUR = 3600.0


class Watch:
    """A watch on one host, on a clock of its own; a new one on the same journal is a restart."""

    def __init__(self, at: float = 0.0, name: str = "gpu") -> None:
        self.session = FakeSession(name)
        self.journal = NoticeJournal()
        self.hosts = WatchedHosts(Store([self.session.host]), self.journal)
        self.at = at

    def tick(self, after: float = 0.0) -> list[Notice]:
        self.at += after
        sessions = {self.session.host.name: self.session}
        found = self.hosts.tick(sessions, START + self.at, WALL + self.at)
        new = [one for one in found if self.journal.add(one, ())]
        self.journal.save()
        return new

    def connect(self, *runs: RunView, **load: float) -> None:
        """As its session does, by a host whose clock is as ours."""
        self.session.connect(*runs, **load)
        box = list(self.session.box)
        self.session.box.clear()
        for one in box:
            self.session.say(replace(one, wall=WALL + self.at) if isinstance(one, RunsSeen) else one)

    def texts(self, after: float = 0.0) -> list[str]:
        return [one.text for one in self.tick(after)]

    def read(self, *lines: str, offset: int = 0) -> None:
        """The log, from there on."""
        self.session.send(RUN, "log", "".join(f"{line}\n" for line in lines), offset=offset)


@pytest.fixture(autouse=True)
def root(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PHOTINUS_HOME", str(tmp_path / "home"))


def test_an_end_is_told_once_by_whatever_way_it_is_heard_and_over_a_restart() -> None:
    watch = Watch()
    watch.connect(view())
    assert watch.tick() == []
    over = view(state="failed", seq=9, reason="exit code 1", since=WALL + 5)
    watch.session.change(over)
    (one,) = watch.tick(5.0)
    assert (one.rule, one.level, one.text) == ("ended", "error", "demo failed: exit code 1")
    watch.connect(over)
    assert watch.tick(1.0) == []
    again = Watch(at=20.0)
    again.connect(over)
    assert again.tick() == []
    second = view(state="failed", seq=19, attempt=2, reason="exit code 1", since=WALL + 60)
    again.session.change(view(seq=12, attempt=2))
    again.session.change(second)
    assert [one.key] != [found.key for found in again.tick(45.0)] != []


def test_another_name_of_the_same_host_tells_nothing_twice() -> None:
    over = view(state="failed", seq=9, since=WALL - 5)
    first, second = Watch(), Watch(name="alias")
    first.session.connect(over)
    (one,) = first.tick()
    second.session.connect(over)
    assert [found.key for found in second.hosts.tick({"alias": second.session}, START, WALL)] == [one.key]


def test_what_failed_while_nobody_watched_is_told_afterwards() -> None:
    watch = Watch()
    watch.connect()
    watch.tick()
    again = Watch(at=30 * HOUR)
    ended = view(state="failed", seq=9, reason="exit code 1", since=WALL + 20 * HOUR)
    again.connect(ended, view("done-bbbbbb", name="done", state="succeeded", since=WALL + 29.99 * HOUR))
    assert again.texts() == ["demo failed: exit code 1, 10h 00m ago", "done finished"]
    assert again.texts(1.0) == []
    other = Watch(at=31 * HOUR)
    other.connect(ended)
    assert other.tick() == []


def test_the_very_first_look_tells_a_handful_of_failures_of_the_last_day() -> None:
    views = [view(f"r-{n}", state="failed", since=WALL - n * HOUR) for n in range(40)]
    fine = view("fine", state="succeeded", since=WALL - 1)
    told = endings_to_tell([*views, fine, view("live")], None, WALL)
    assert [one.run_id for one in told] == [f"r-{n}" for n in reversed(range(FIRST_MAX))]
    assert endings_to_tell(views[24:], None, WALL) == []
    since = endings_to_tell([*views, fine], WALL - 10 * HOUR, WALL)
    assert {one.run_id for one in since} == {*(f"r-{n}" for n in range(11)), "fine"}
    assert endings_to_tell([view("x", state="failed", since=WALL + 9e9)], WALL, WALL) == []


def test_a_number_that_is_none_is_told_once_and_not_again_when_the_log_is_read_again() -> None:
    log = [*(f"step={n} loss=2.0" for n in range(1, 6)), "step=6 loss=nan", "step=7 loss=nan"]
    live = view(kind="command", max_steps=0, created=WALL)
    watch = Watch()
    watch.connect(live)
    watch.tick()
    watch.read(*log)
    (one,) = watch.tick(1.0)
    assert (one.rule, one.text) == ("nan", "demo: loss not finite at step 6")
    again = Watch(at=60.0)
    again.connect(live)
    again.tick()
    again.session.say(StreamBegin(again.session.key_of(RUN, "log"), RUN, 0))
    again.read(*log)
    assert [*again.tick(1.0), *again.tick(2.0), *again.tick(2.0)] == []
    offset = sum(len(line) + 1 for line in log)
    again.read(*(f"step={n} loss=2.0" for n in range(8, 40)), "step=40 loss=nan", offset=offset)
    assert again.texts(1.0) == ["demo: loss not finite at step 40"]


def test_of_a_log_that_was_there_before_the_newest_of_each_rule_is_told() -> None:
    calm = [f"loss=2.0{n % 3}" for n in range(30)]
    rows = [*calm, "loss=nan", *calm, "loss=nan", *calm]
    watch = Watch()
    watch.connect(view(kind="command", max_steps=0, created=WALL - HOUR))
    watch.tick()
    watch.session.say(StreamBegin(watch.session.key_of(RUN, "log"), RUN, 0))
    watch.read(*(f"step={n} {row}" for n, row in enumerate(rows)))
    assert watch.tick(1.0) == []
    assert watch.texts(2.0) == ["demo: loss not finite at step 61 (the newest of 2)"]
    assert watch.tick(2.0) == []


def test_a_link_that_is_back_soon_is_no_news_and_one_that_stays_away_is_told_once() -> None:
    watch = Watch()
    watch.connect()
    watch.tick()
    watch.session.lose()
    assert watch.tick(1.0) == []
    watch.session.say(LinkChanged(LinkState("connected", 0.001, START, 0), back_after_s=5.0))
    assert [*watch.tick(5.0), *watch.tick(200.0)] == []
    watch.session.lose()
    assert watch.tick(1.0) == []
    (one,) = watch.tick(121.0)
    assert (one.rule, one.host, one.run) == ("lost", "gpu", "")
    assert watch.tick(500.0) == []
    watch.session.say(LinkChanged(LinkState("connected", 0.001, START, 0), back_after_s=600.0))
    assert [one.rule for one in watch.tick(1.0)] == ["back"]


def test_a_disk_that_stays_full_over_restarts_is_one_occasion_a_day_and_later_another() -> None:
    watch = Watch()
    watch.connect(disk_free=1e8)
    watch.connect(disk_free=1e8)
    assert [one.rule for one in watch.tick()] == ["disk"]
    for hours, told in ((20, []), (30, ["disk"]), (31, [])):
        again = Watch(at=hours * HOUR)
        again.connect(disk_free=1e8)
        again.connect(disk_free=1e8)
        assert [one.rule for one in again.tick()] == told
    for _ in range(2):
        again.connect(disk_free=9e9)
    again.tick(HOUR)
    for _ in range(2):
        again.connect(disk_free=1e8)
    assert [one.rule for one in again.tick(HOUR)] == ["disk"]


def test_one_update_that_cannot_be_taken_costs_itself(monkeypatch: pytest.MonkeyPatch) -> None:
    watch = Watch()
    monkeypatch.setattr(Store, "_link", lambda *_: 1 / 0)
    watch.connect(view(state="failed", since=WALL))
    watch.hosts.store.hosts["gpu"].link = watch.session.link
    assert watch.texts() == ["demo failed"]
    assert "ZeroDivisionError" in watch.hosts.faults[0]


def test_sixty_files_of_a_host_are_followed_and_what_is_over_makes_room() -> None:
    watch = Watch()
    runs = [view(f"r-{n}") for n in range(FILES_MAX + 5)]
    watch.connect(*runs)
    watch.tick()
    assert len(watch.session.followed) == FILES_MAX
    first = watch.session.followed[1][0]
    watch.session.change(view(first, seq=9, state="failed", since=WALL))
    assert watch.texts(1.0) == ["demo failed"]
    assert watch.session.unfollowed == [1]
    assert len(watch.session.followed) == FILES_MAX + 1


def test_a_run_that_failed_is_told_with_the_end_of_its_log() -> None:
    watch = Watch()
    watch.connect(view())
    watch.tick()
    over = view(state="failed", seq=9, reason="exit code 1", since=WALL + 5)
    trace = (
        "Traceback (most recent call last):",
        '  File "train.py", line 3',
        "ValueError: --api-key=abc123secret",
    )
    watch.session.results["run"] = {**over.to_json(), "wall": WALL, "spec": {}, "log_end": ["99 %", *trace]}
    watch.session.change(over)
    (one,) = watch.tick(5.0)
    assert one.trace.splitlines()[:2] == list(trace[:2])
    assert "ValueError" in one.trace
    assert "abc123secret" not in one.trace
    watch.session.change(view(attempt=2, seq=12))
    watch.session.results["run"] = CallError("not_found", "it is gone")
    watch.session.change(view(state="failed", attempt=2, seq=19, reason="exit code 2", since=WALL + 60))
    (other,) = watch.tick(60.0)
    assert (other.text, other.trace) == ("demo failed: exit code 2", "")
