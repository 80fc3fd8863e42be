"""The agent's side of a followed file: growth, new attempts, truncation, replacement, the window."""

import json
import os
import zlib
from pathlib import Path

import pytest

from remote.agent.streams.source import StreamSource
from remote.agent.streams.tail import Tail, first_cursor
from remote.protocol.messages import WINDOW, Cursor
from remote.protocol.values import BEGINNING
from trainer.run.layout import RunDir


@pytest.fixture
def run(tmp_path: Path) -> RunDir:
    return RunDir(tmp_path / "runs" / "demo-abcdef").create()


def tail(run: RunDir, cursor: Cursor | None = None, *, what: str = "log", follow: bool = True) -> Tail:
    source = StreamSource(run, what)
    return Tail(1, source, first_cursor(source, 1 << 20) if cursor is None else cursor, follow=follow)


def read(one: Tail, *, over: bool = False) -> list[tuple[int, str, int, bytes]]:
    """(gen, file, offset, data) of a poll."""
    pieces = []
    for frame in one.poll(lambda: over):
        head, _, data = frame.partition(b"\n")
        header = json.loads(head)
        assert header["n"] == len(data)
        pieces.append((header["gen"], header["file"], header["off"], data))
    return pieces


def test_what_is_appended_is_sent_once(run: RunDir) -> None:
    log = run.log(1)
    log.write_bytes(b"one\n")
    one = tail(run)
    assert read(one) == [(1, "001.log", 0, b"one\n")]
    assert read(one) == []
    with log.open("ab") as file:
        file.write(b"two\n")
    assert read(one) == [(1, "001.log", 4, b"two\n")]


def test_what_was_read_goes_out_before_a_refusal_of_the_disk(
    run: RunDir, monkeypatch: pytest.MonkeyPatch
) -> None:
    run.log(1).write_bytes(b"one\n")
    one = tail(run)

    def refuse(_source: StreamSource, _name: str) -> Path:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(StreamSource, "after", refuse)
    assert read(one) == [(1, "001.log", 0, b"one\n")]
    with pytest.raises(PermissionError):
        read(one)


def test_a_file_that_is_rewritten_while_it_is_read_is_noticed(
    run: RunDir, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Cut and written anew between the read and the note of what was read: the note is of what was sent."""
    log, pread = run.log(1), os.pread
    log.write_bytes(b"a" * 100)
    one = tail(run)

    def swapping(fd: int, n: int, offset: int) -> bytes:
        data = pread(fd, n, offset)
        if n > 64 and data:
            log.write_bytes(b"b" * 200)
        return data

    monkeypatch.setattr("remote.agent.streams.tail.os.pread", swapping)
    assert read(one) == [(1, "001.log", 0, b"a" * 100), (2, "001.log", 0, b"b" * 200)]


def test_a_first_attach_begins_at_a_line_near_the_end_and_reaches_into_earlier_attempts(run: RunDir) -> None:
    run.log(1).write_bytes(b"".join(b"old %03d\n" % i for i in range(10)))
    run.log(2).write_bytes(b"new\n")
    source = StreamSource(run, "log")
    assert first_cursor(source, 20) == Cursor(gen=1, file="001.log", offset=64)
    assert first_cursor(source, 4) == Cursor(gen=2, file="002.log", offset=0)
    assert first_cursor(source, 1 << 20) == Cursor(gen=1, file="001.log", offset=0)
    assert first_cursor(StreamSource(run, "events"), 100) == BEGINNING


def test_a_new_attempts_file_is_read_after_the_old_one_is_drained(run: RunDir) -> None:
    run.log(1).write_bytes(b"one\n")
    one = tail(run)
    read(one)
    with run.log(1).open("ab") as file:
        file.write(b"last words\n")
    run.log(2).write_bytes(b"again\n")
    assert read(one) == [(1, "001.log", 4, b"last words\n"), (2, "002.log", 0, b"again\n")]


def test_a_truncated_file_is_a_new_generation(run: RunDir) -> None:
    run.log(1).write_bytes(b"one two three\n")
    one = tail(run)
    read(one)
    run.log(1).write_bytes(b"new\n")
    assert read(one) == [(2, "001.log", 0, b"new\n")]


def test_a_file_that_was_cut_and_grew_past_our_place_is_a_new_generation(run: RunDir) -> None:
    run.log(1).write_bytes(b"one two three\n")
    one = tail(run)
    read(one)
    run.log(1).write_bytes(b"something else that is longer\n")
    assert read(one) == [(2, "001.log", 0, b"something else that is longer\n")]


def test_a_replaced_file_is_a_new_generation_after_the_old_one_is_drained(run: RunDir) -> None:
    log = run.log(1)
    log.write_bytes(b"one\n")
    one = tail(run)
    read(one)
    with log.open("ab") as file:
        file.write(b"two\n")
    log.rename(log.with_suffix(".old"))
    log.write_bytes(b"three\n")
    assert read(one) == [(1, "001.log", 4, b"two\n"), (2, "001.log", 0, b"three\n")]


def test_a_cursor_goes_on_where_it_stands_and_one_that_no_longer_fits_begins_anew(run: RunDir) -> None:
    run.log(1).write_bytes(b"one\ntwo\n")
    fits = Cursor(gen=1, file="001.log", offset=4, crc=zlib.crc32(b"one\n"), crc_n=4)
    assert read(tail(run, fits)) == [(1, "001.log", 4, b"two\n")]
    changed = Cursor(gen=1, file="001.log", offset=4, crc=zlib.crc32(b"ONE\n"), crc_n=4)
    assert read(tail(run, changed)) == [(2, "001.log", 0, b"one\ntwo\n")]
    beyond = Cursor(gen=1, file="001.log", offset=400)
    assert read(tail(run, beyond)) == [(2, "001.log", 0, b"one\ntwo\n")]


def test_a_cursor_cannot_name_a_file_outside_the_run(run: RunDir, tmp_path: Path) -> None:
    (tmp_path / "secret.log").write_bytes(b"secret\n")
    run.log(1).write_bytes(b"one\n")
    for name in ("../../../secret.log", "/etc/passwd", "spec.json"):
        pieces = read(tail(run, Cursor(gen=0, file=name, offset=0)))
        assert {file for _, file, _, _ in pieces} <= {"001.log"}


def test_nothing_is_sent_past_the_window_until_it_is_acknowledged(run: RunDir) -> None:
    run.log(1).write_bytes(b"x" * (WINDOW + 1000))
    one = tail(run, BEGINNING)
    assert sum(len(data) for *_, data in read(one)) == WINDOW
    assert read(one) == []
    one.acknowledge(600)
    assert sum(len(data) for *_, data in read(one)) == 600
    one.acknowledge(1 << 40)  # a liar gains nothing but his own bytes
    assert sum(len(data) for *_, data in read(one)) == 400


def test_a_stream_ends_when_the_run_is_over_and_drained_and_not_before(run: RunDir) -> None:
    run.log(1).write_bytes(b"one\n")
    one = tail(run)
    read(one)
    assert not one.is_done
    with run.log(1).open("ab") as file:
        file.write(b"last\n")
    assert read(one, over=True) == [(1, "001.log", 4, b"last\n")]
    assert one.is_done


def test_a_look_without_following_ends_at_the_present_end(run: RunDir) -> None:
    run.log(1).write_bytes(b"one\n")
    one = tail(run, follow=False)
    assert [data for *_, data in read(one)] == [b"one\n"]
    assert one.is_done


def test_events_that_do_not_exist_yet_are_waited_for(run: RunDir) -> None:
    one = tail(run, Cursor(gen=1, file="events.jsonl", offset=0), what="events")
    assert read(one) == []
    run.events.write_bytes(b'{"type":"note"}\n')
    assert read(one) == [(1, "events.jsonl", 0, b'{"type":"note"}\n')]
