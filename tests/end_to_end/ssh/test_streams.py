"""Log and event bytes over a road that is cut again and again: every byte once, whatever the bytes are."""

import hashlib
import json
import random
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from remote.session.session import Session
from tests.end_to_end.ssh import garbage as garbage_module
from tests.end_to_end.ssh.box import Box
from tests.end_to_end.ssh.garbage import garbage
from tests.end_to_end.ssh.listening import Mirror
from tests.remote.calling import call
from tests.remote.scripts import QUIET, spec
from tests.trials import trials
from tests.waiting import wait_until

SIZE = trials(10_000_000, 100_000_000)
CUTS = trials(12, 100)
Record = Callable[[str, object], None]


def start_garbage(box: Box, session: Session, seed: int) -> str:
    """A run that prints garbage and ends."""
    one = spec(run_id="garbage-aaaaaa")
    raw = {**one.to_json(), "argv": [sys.executable, garbage_module.__file__, str(seed), str(SIZE)]}
    return str(call(session, "start", {"start_id": "s1", "spec": raw}, 20.0)["run_id"])


@pytest.mark.chaos
@pytest.mark.claim("log bytes over 100 forced reconnects, 100 MB of garbage: the mirror's sha256 is equal")
@pytest.mark.timeout(900)
@pytest.mark.parametrize("seed", range(trials(1, 20)))
def test_every_byte_of_a_garbage_log_comes_once_over_a_road_that_is_cut(
    box: Box, seed: int, record_property: Record
) -> None:
    rng = random.Random(seed)
    with box.session() as session:
        run_id = start_garbage(box, session, seed)
        box.wait_state(run_id, "succeeded", timeout=120.0)
        session.follow(run_id, last=1 << 40)
        mirror = Mirror(session)
        for _ in range(CUTS):  # each in the middle of a torrent, with a line or a frame half here
            accepted = box.road.accepted
            box.road.cut_after(rng.randrange(10_000, SIZE // CUTS))
            mirror.until(lambda: box.road.accepted > accepted, what="another connection")  # noqa: B023
        assert not mirror.ends, "every cut came before the end"
        mirror.until_end(timeout=300.0)
    expected = hashlib.sha256()
    for piece in garbage(seed, SIZE):
        expected.update(piece)
    assert mirror.sizes.keys() == {("001.log", 1)}
    assert mirror.sha256("001.log", 1) == expected.hexdigest()
    record_property("figure", f"{box.road.accepted - 1} reconnects")
    assert box.road.accepted > CUTS


@pytest.mark.chaos
@pytest.mark.claim("event bytes over forced reconnects while they are written: the mirror's sha256 is equal")
@pytest.mark.timeout(600)
@pytest.mark.parametrize("seed", range(trials(1, 20)))
def test_events_come_once_while_they_are_written_and_the_road_is_cut(box: Box, seed: int) -> None:
    rng = random.Random(seed)
    written = hashlib.sha256()
    size = 0
    with box.session() as session:
        run_id = box.start(session, QUIET)
        events = box.run(run_id).events
        session.follow(run_id, "events")
        mirror = Mirror(session)
        for n in range(trials(8, 100)):
            lines = ({"seq": n * 50 + row, "x": "é" * row} for row in range(50))
            rows = b"".join(json.dumps(line, ensure_ascii=False).encode() + b"\n" for line in lines)
            torn = rows[: rng.randrange(len(rows))]
            append(events, torn)
            if n % 2:
                box.road.cut()
            append(events, rows[len(torn) :])
            written.update(rows)
            size += len(rows)
            mirror.until(lambda: mirror.size() == size, what="the rows")  # noqa: B023
        call(session, "kill", {"run_id": run_id, "req_id": "k1"}, 20.0)
        mirror.until_end()
    assert mirror.sha256("events.jsonl", 1) == written.hexdigest()


@pytest.mark.chaos
@pytest.mark.claim(
    "a log truncated or replaced while the road is cut: a new generation, told, and equal bytes"
)
@pytest.mark.timeout(600)
def test_a_log_that_is_cut_short_or_replaced_under_us_is_told_and_read_anew(box: Box) -> None:
    with box.session() as session:
        run_id = box.start(session, "print('first', flush=True)\n" + QUIET)
        log = box.run(run_id).log(1)
        session.follow(run_id)
        mirror = Mirror(session, keep=True)
        mirror.until(lambda: mirror.size() == 6, what="the first line")
        for gen in range(2, trials(4, 60)):
            text = b"generation %d\n" % gen * 500
            box.road.cut()
            if gen % 2:
                replace(log, text)
            else:
                log.write_bytes(text)
            mirror.until(lambda: mirror.sizes.get(("001.log", gen)) == len(text), what=f"generation {gen}")  # noqa: B023
            assert mirror.data["001.log", gen] == text
            assert mirror.truncated[-1].gen == gen
        assert len(mirror.truncated) == gen - 1
        call(session, "kill", {"run_id": run_id, "req_id": "k1"}, 20.0)


def append(path: Path, data: bytes) -> None:
    with path.open("ab") as file:
        file.write(data)


def replace(log: Path, text: bytes) -> None:
    """Another file under the same name, as `sed -i` or an editor leaves it."""
    other = log.with_suffix(".new")
    other.write_bytes(text)
    other.rename(log)


def test_a_mirror_that_missed_a_byte_is_not_equal(box: Box) -> None:
    """The control: the comparison sees a single byte."""
    with box.session() as session:
        run_id = box.start(session, "import sys\nsys.stdout.buffer.write(b'a\\0b\\n')")
        session.follow(run_id)
        mirror = Mirror(session)
        mirror.until_end()
    assert mirror.sha256("001.log", 1) == hashlib.sha256(b"a\0b\n").hexdigest()
    assert mirror.sha256("001.log", 1) != hashlib.sha256(b"ab\n").hexdigest()
    wait_until(lambda: not box.wrongs(), 10.0)
