"""Files of no run of ours, gaps, and what stands before a view: through a real agent."""

import os
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from remote.agent.streams.source import StreamSource
from remote.agent.streams.tail import SKIP_BEHIND, SKIP_TO
from remote.protocol.errors import CallError
from remote.session.link.link_state import Timings
from remote.session.session import Session, connect
from remote.session.streams.backfill import read_older
from remote.session.updates import Bytes, Gap, StreamEnd, Truncated, Update
from tests.remote.calling import call
from tests.remote.mirror import Mirror
from tests.remote.transfer.saved import RUN_ID, make_run
from tests.waiting import wait_until
from trainer.run.layout import RunDir

QUICK = Timings(ping_s=0.2, backoff_s=(0.02, 0.05), refresh_s=0.5)


@pytest.fixture
def quick(home: Path) -> Iterator[Session]:
    with connect(timings=QUICK) as session:
        yield session


def hear(session: Session, enough: Callable[[list[Update]], object]) -> list[Update]:
    """Updates of streams until there are enough."""
    heard: list[Update] = []

    def listen() -> object:
        heard.extend(one for one in session.drain() if isinstance(one, Bytes | Gap | StreamEnd | Truncated))
        return enough(heard)

    wait_until(listen, 10.0, "updates")
    return heard


def text(heard: list[Update]) -> bytes:
    return b"".join(one.data for one in heard if isinstance(one, Bytes))


def test_a_foreign_log_is_followed_over_rotation(quick: Session, tmp_path: Path) -> None:
    path = tmp_path / "old-tool.log"
    path.write_bytes(b"one\n")
    key = quick.watch(str(path))
    heard = hear(quick, lambda heard: text(heard) == b"one\n")
    assert [(one.key, one.run_id, one.what) for one in heard if isinstance(one, Bytes)] == [
        (key, "", "watch")
    ]
    path.rename(tmp_path / "old-tool.log.1")
    path.write_bytes(b"two\n")
    heard = hear(quick, lambda heard: text(heard) == b"two\n")
    assert any(isinstance(one, Truncated) for one in heard)


def test_a_foreign_log_is_followed_over_a_lost_link(quick: Session, tmp_path: Path) -> None:
    path = tmp_path / "x.log"
    path.write_bytes(b"one\n")
    quick.watch(str(path))
    hear(quick, lambda heard: text(heard) == b"one\n")
    assert quick.hello is not None
    pid = quick.hello.pid
    os.kill(pid, 9)
    wait_until(lambda: quick.hello is not None and quick.hello.pid != pid, 10.0, "another agent")
    with path.open("ab") as file:
        file.write(b"two\n")
    assert text(hear(quick, text)) == b"two\n"


def test_a_link_is_followed_as_a_person_means_it(quick: Session, tmp_path: Path) -> None:
    (tmp_path / "real.log").write_bytes(b"one\n")
    (tmp_path / "latest.log").symlink_to("real.log")
    quick.watch(str(tmp_path / "latest.log"))
    assert text(hear(quick, text)) == b"one\n"


def test_what_is_no_plain_file_is_refused_and_the_agent_lives_on(quick: Session, tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "fifo")
    (tmp_path / "loop").symlink_to("loop")
    cases = [
        (str(tmp_path), "cannot be read"),
        (str(tmp_path / "fifo"), "cannot be read"),
        (str(tmp_path / "loop"), "cannot be read"),
        ("/dev/zero", "cannot be read"),
        (str(tmp_path / ("x" * 300)), "cannot be read"),
        ("relative.log", "absolute"),
        ("", "absolute"),
        ("/a\0b", "absolute"),
    ]
    for path, why in cases:
        quick.watch(path)
        heard = hear(quick, lambda heard: heard)
        assert isinstance(heard[-1], StreamEnd), path
        assert why in heard[-1].reason, path
    quick.watch(str(tmp_path / "none.log"), goes_on=False)
    assert "no such file" in str(hear(quick, lambda heard: heard)[-1])
    assert call(quick, "ping", {"n": 1})["n"] == 1


def test_a_file_that_does_not_exist_yet_is_waited_for(quick: Session, tmp_path: Path) -> None:
    quick.watch(str(tmp_path / "later.log"))
    call(quick, "ping", {"n": 1})
    (tmp_path / "later.log").write_bytes(b"here\n")
    assert text(hear(quick, text)) == b"here\n"


def test_a_view_far_behind_goes_on_near_the_end_and_is_told(tmp_path: Path) -> None:
    run = RunDir(tmp_path / "demo-abcdef").create()
    run.log(1).write_bytes(b"start\n")
    viewer, keeper = (Mirror(StreamSource(run, "log"), skip=skip) for skip in (True, False))
    for mirror in (viewer, keeper):
        mirror.poll()
    flood = b"".join(b"line %09d\n" % i for i in range(2 * SKIP_BEHIND // 15))
    with run.log(1).open("ab") as file:
        file.write(flood)
    for mirror in (viewer, keeper):
        mirror.poll()
    assert keeper.kept == {1: b"start\n" + flood}  # events and the mirror never have a gap
    assert not keeper.gaps
    ((start, end),) = viewer.gaps
    assert (start.offset, end.gen) == (6, 1)
    seen = viewer.kept[1].removeprefix(b"start\n")
    assert SKIP_TO - 20 < len(seen) <= SKIP_TO
    assert flood.endswith(seen)
    assert end.offset == 6 + len(flood) - len(seen)


def test_a_gap_over_several_files_is_filled_backwards(quick: Session, home: Path) -> None:
    run = make_run(home)
    logs = [b"".join(b"%d: %07d\n" % (i, j) for j in range(300_000)) for i in range(1, 4)]
    run.log(1).write_bytes(b"begin\n")
    key = quick.follow(RUN_ID, skip=True)
    hear(quick, text)
    for number, data in enumerate(logs, 1):
        with run.log(number).open("ab") as log:
            log.write(data)
    quick.unfollow(key)
    viewer = Mirror(StreamSource(run, "log"), skip=True)
    viewer.poll()  # from the very start, three files and 9 MB behind
    ((start, end),) = viewer.gaps
    assert (start.file, end.file) == ("001.log", "003.log")
    filled, file, offset = b"", end.file, end.offset
    while (file, offset) != (start.file, start.offset):
        piece = read_older(quick, file, offset, 400_000, run_id=RUN_ID)
        filled, file, offset = piece.data + filled, piece.file, piece.offset
    assert piece.is_first
    assert filled + viewer.kept[end.gen] == b"begin\n" + b"".join(logs)


def test_a_skipping_stream_tells_its_session_of_the_gap(quick: Session, home: Path) -> None:
    run = make_run(home)
    run.log(1).write_bytes(b"x" * 99 + b"\n")
    key = quick.follow(RUN_ID, last=1 << 40, skip=True)
    hear(quick, lambda heard: any(isinstance(one, StreamEnd) for one in heard))
    quick.unfollow(key)
    run.log(1).write_bytes(b"y" * 99 + b"\n" + (b"z" * 99 + b"\n") * 60_000)
    quick.follow(RUN_ID, last=1 << 40, skip=True)
    heard = hear(quick, lambda heard: any(isinstance(one, StreamEnd) for one in heard))
    (gap,) = [one for one in heard if isinstance(one, Gap)]
    assert (gap.start.offset, gap.end.offset) == (0, 6_000_100 - len(text(heard)))
    assert gap.missed == gap.end.offset
    assert set(text(heard)) == set(b"z\n")


def test_older_bytes_of_a_cut_or_missing_file_are_refused(quick: Session, home: Path) -> None:
    run = make_run(home)
    run.log(1).write_bytes(b"one\ntwo\nthree\n")
    piece = read_older(quick, "001.log", 14, 8, run_id=RUN_ID)
    assert (piece.data, piece.offset, piece.is_first) == (b"three\n", 8, False)
    assert read_older(quick, "001.log", 0, run_id=RUN_ID).is_first
    for name, before in (("001.log", 15), ("002.log", 1), ("../../x.log", 1)):
        with pytest.raises(CallError) as error:
            read_older(quick, name, before, run_id=RUN_ID)
        assert error.value.code == "not_found"
