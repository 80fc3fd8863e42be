"""Followed files through real agents that are killed: every byte once."""

import os
import random
import signal
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from remote.protocol.messages import WINDOW, Cursor
from remote.session.link.link_state import Timings
from remote.session.session import Session, connect
from remote.session.updates import Bytes, StreamEnd, Update
from tests.remote.calling import call
from tests.remote.scripts import argv, counting, spec
from tests.trials import trials
from tests.waiting import wait_until

QUICK = Timings(ping_s=0.2, backoff_s=(0.02, 0.05), refresh_s=0.5)


@pytest.fixture
def quick(home: Path) -> Iterator[Session]:
    with connect(timings=QUICK) as session:
        yield session


class Reader:
    """Collects what a session delivers, and checks that offsets never jump or repeat."""

    def __init__(self, session: Session) -> None:
        self._session = session
        self.data: dict[tuple[int, str], bytes] = {}
        self.ends: list[StreamEnd] = []

    def take(self, limit: int = 1000) -> list[Update]:
        updates = self._session.drain(limit)
        for one in updates:
            if isinstance(one, Bytes):
                held = self.data.get((one.key, one.file), b"")
                assert one.offset == len(held)
                self.data[one.key, one.file] = held + one.data
            elif isinstance(one, StreamEnd):
                self.ends.append(one)
        return updates

    def size(self) -> int:
        return sum(map(len, self.data.values()))

    def until_end(self, count: int = 1, timeout: float = 40.0) -> None:
        def ended() -> bool:
            self.take()
            return len(self.ends) >= count

        wait_until(ended, timeout, "the end of the stream")


def start(session: Session, code: str, start_id: str = "s1", **more: object) -> str:
    answer = call(session, "start", {"start_id": start_id, "spec": spec(code, **more).to_json()})
    return str(answer["run_id"])


def lines(count: int) -> bytes:
    return b"".join(b"line %d\n" % i for i in range(count))


def test_a_log_is_followed_to_its_end(quick: Session) -> None:
    reader = Reader(quick)
    key = quick.follow(start(quick, counting(50, 0.002)))
    reader.until_end()
    assert reader.data == {(key, "001.log"): lines(50)}
    assert reader.ends == [StreamEnd(key, reader.ends[0].run_id)]


@pytest.mark.chaos
@pytest.mark.timeout(600)
def test_every_byte_comes_once_though_agents_are_killed(quick: Session) -> None:
    """Killed in the middle of a torrent: each agent is granted a few reads of the backlog, and no more."""
    rng = random.Random(3)
    count = trials(300_000, 3_000_000)
    run_id = start(quick, f"for i in range({count}):\n    print('line', i)")
    assert quick.wait_run(run_id, lambda run: run.is_terminal, 60.0)
    key, reader = quick.follow(run_id, last=1 << 40), Reader(quick)
    for _ in range(trials(4, 60)):
        grant = reader.size() + rng.randrange(1, 100_000)
        wait_until(lambda: reader.take(3) and reader.size() >= grant, 30.0, "some bytes")  # noqa: B023
        assert quick.hello is not None
        pid = quick.hello.pid
        os.kill(pid, signal.SIGKILL)
        wait_until(lambda: quick.hello is not None and quick.hello.pid != pid, 30.0, "another")  # noqa: B023
    assert not reader.ends  # every kill came before the end
    reader.until_end()
    assert reader.data == {(key, "001.log"): lines(count)}


def test_a_slow_reader_holds_the_host_back_at_the_window_and_loses_nothing(quick: Session) -> None:
    total = 5 * WINDOW
    code = f"import sys\nfor i in range({total // 65536}):\n    sys.stdout.write(chr(97 + i % 26) * 65536)\n"
    run_id = start(quick, code)
    assert quick.wait_run(run_id, lambda run: run.is_terminal, 20.0)
    key = quick.follow(run_id, last=1 << 40)
    reader = Reader(quick)

    def waiting() -> int:
        return sum(len(one.data) for one in list(quick._loop.updates) if isinstance(one, Bytes))

    wait_until(lambda: waiting() >= WINDOW, 10.0, "a full window")
    assert call(quick, "ping", {"n": 1})["n"] == 1  # the link itself is not held back
    assert waiting() == WINDOW
    reader.until_end()
    data = reader.data[key, "001.log"]
    assert len(data) == total
    assert data == b"".join(bytes([97 + i % 26]) * 65536 for i in range(total // 65536))


def test_two_cockpits_follow_the_same_log(quick: Session, second: Session) -> None:
    run_id = start(quick, counting(30, 0.005))
    readers = [Reader(quick), Reader(second)]
    for session in (quick, second):
        session.follow(run_id)
    for reader in readers:
        reader.until_end()
        assert list(reader.data.values()) == [lines(30)]


def test_a_resumed_run_is_followed_on_under_the_same_key(quick: Session) -> None:
    run_id = start(quick, "print('first')", resume_argv=argv("print('second')"))
    key, reader = quick.follow(run_id), Reader(quick)
    reader.until_end()
    call(quick, "resume", {"start_id": "s2", "run_id": run_id})
    reader.until_end(2)
    assert reader.data == {(key, "001.log"): b"first\n", (key, "002.log"): b"second\n"}


def test_a_new_session_goes_on_from_a_stored_cursor(home: Path, quick: Session) -> None:
    run_id = start(quick, counting(10))
    reader = Reader(quick)
    quick.follow(run_id)
    reader.until_end()
    with connect(timings=QUICK) as later:
        later.follow(run_id, cursor=Cursor(gen=1, file="001.log", offset=len(lines(7))))
        got: list[Bytes] = []

        def rest() -> bool:
            got.extend(one for one in later.drain() if isinstance(one, Bytes))
            return bool(got)

        wait_until(rest, 10.0, "the rest")
        assert b"".join(one.data for one in got) == lines(10)[len(lines(7)) :]


def test_a_run_that_is_not_there_ends_its_stream_with_the_reason(quick: Session) -> None:
    reader = Reader(quick)
    quick.follow("none-abcdef")
    reader.until_end()
    assert "no run" in reader.ends[0].reason


def test_what_is_no_longer_followed_is_no_longer_sent(quick: Session) -> None:
    run_id = start(quick, counting(100_000, 0.001))
    key, reader = quick.follow(run_id), Reader(quick)
    took: Callable[[], bool] = lambda: bool(reader.take()) and bool(reader.data)  # noqa: E731
    wait_until(took, 10.0, "some bytes")
    quick.unfollow(key)
    call(quick, "ping", {"n": 1})  # behind the untail on the same pipe: nothing of the stream comes after it
    reader.take()
    before = dict(reader.data)
    log = Path(call(quick, "run", {"run_id": run_id})["dir"]) / "log" / "001.log"
    grown = log.stat().st_size + 50
    wait_until(lambda: log.stat().st_size > grown, 10.0, "the log to grow")
    call(quick, "ping", {"n": 2})
    reader.take()
    assert reader.data == before


def test_events_are_followed_like_a_log(home: Path, quick: Session) -> None:
    run_id = start(quick, "import time; time.sleep(60)")
    key, reader = quick.follow(run_id, "events"), Reader(quick)
    events = home / "runs" / run_id / "events.jsonl"
    for i in range(3):
        with events.open("ab") as file:
            file.write(b'{"seq":%d}\n' % i)
    call(quick, "kill", {"run_id": run_id, "req_id": "k1"})
    reader.until_end()
    assert reader.data == {(key, "events.jsonl"): b'{"seq":0}\n{"seq":1}\n{"seq":2}\n'}
