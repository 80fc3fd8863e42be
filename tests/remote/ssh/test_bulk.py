"""Bulk reads and writes against servers that answer less than they are asked for, late, or not at all."""

import os
from collections import deque
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import paramiko
import pytest
from paramiko.message import Message
from paramiko.sftp import CMD_DATA, CMD_READ, CMD_STATUS, CMD_WRITE

from remote.session.session import Session, connect
from remote.ssh.bulk import DEPTH, DEPTH_MIN, READ_SIZE, _Reader, _Writer
from remote.ssh.sftp_internals import are_known
from remote.transfer.sinks import LocalSink, SftpSink
from tests.remote.calling import call
from tests.sshd.server import Sshd

DATA = os.urandom(3_000_000)


class Server:
    """Answers in order, at most `limit` bytes at a time; `fail_at` requests are answered with an error."""

    def __init__(self, limit: int = 1 << 20, fail_at: int = -1) -> None:
        self.limit, self.fail_at = limit, fail_at
        self.asked: list[tuple[int, int]] = []
        self.most = 0
        self.written = bytearray(len(DATA))
        self._open: deque[tuple[int, Any, int, Any]] = deque()

    def request(self, box: Any, kind: int, handle: bytes, offset: int, what: Any) -> int:
        number = len(self.asked)
        self.asked.append((int(offset), what if kind == CMD_READ else len(what)))
        self._open.append((number, box, kind, what))
        self.most = max(self.most, len(self._open))
        return number

    def hear_answer(self) -> None:
        number, box, kind, what = self._open.popleft()
        offset = self.asked[number][0]
        message = Message()
        if kind == CMD_READ and number != self.fail_at and offset < len(DATA):
            message.add_string(DATA[offset : offset + min(what, self.limit)])
            message.rewind()
            box._async_response(CMD_DATA, message, number)
            return
        if kind == CMD_WRITE and number != self.fail_at:
            self.written[offset : offset + len(what)] = what
        message.add_int(4 if number == self.fail_at else 1 if kind == CMD_READ else 0)
        message.rewind()
        box._async_response(CMD_STATUS, message, number)

    def raise_status(self, message: Message) -> None:
        code = message.get_int()
        if code == 1:
            raise EOFError
        if code:
            raise OSError("Failure")


def read(server: Server, start: int, end: int, depth: int = DEPTH) -> bytes:
    return b"".join(_Reader(server, b"handle", start, end, depth).chunks())


@pytest.mark.parametrize("limit", [1 << 20, 65536, 32768, 1000])
def test_whatever_a_server_answers_at_a_time_every_byte_comes_in_order(limit: int) -> None:
    server = Server(limit)
    assert read(server, 7, len(DATA) - 5) == DATA[7:-5]
    assert server.most <= DEPTH


def test_a_server_with_a_lower_limit_is_asked_for_less() -> None:
    server = Server(65536)
    read(server, 0, len(DATA))
    assert max(length for _, length in server.asked[DEPTH_MIN:]) <= 65536
    assert len(server.asked) < 2 * len(DATA) // 65536


def test_a_file_that_ends_early_is_handed_over_as_far_as_it_goes() -> None:
    assert read(Server(), 2_000_000, 9_000_000) == DATA[2_000_000:]
    assert read(Server(), 5_000_000, 9_000_000) == b""
    assert read(Server(), 10, 10) == b""


def test_little_is_on_its_way_at_the_beginning_and_more_once_much_has_come() -> None:
    few, many = Server(), Server()
    read(few, 0, len(DATA))
    assert few.most == DEPTH_MIN
    begun = 20 * DEPTH * READ_SIZE  # where a resumed file stands: offsets beyond DATA, so nothing comes
    read(many, begun, begun + 100 * READ_SIZE)
    assert many.most == DEPTH


def test_an_error_of_the_server_is_raised_and_is_no_end_of_file() -> None:
    with pytest.raises(OSError, match="Failure"):
        read(Server(fail_at=3), 0, len(DATA))


def test_writes_arrive_whole_and_are_counted_when_they_are_answered() -> None:
    server, sent = Server(), [0]

    def count(n: int) -> None:
        sent[0] += n

    writer = _Writer(server, b"handle", 100, 8, count)
    for at in range(100, len(DATA), 500_000):
        writer.write(DATA[at : at + 500_000])
        assert sent[0] < len(DATA) - 100
    writer.finish(0)
    assert bytes(server.written[100:]) == DATA[100:]
    assert sent == [len(DATA) - 100]
    assert server.most <= 9
    with pytest.raises(OSError, match="Failure"):
        _Writer(Server(fail_at=0), b"handle", 0, 0, count).write(b"x")


@pytest.fixture
def link(sshd: Sshd, tmp_path: Path) -> Any:
    host = sshd.host()
    sshd.place(host, tmp_path / "far")
    with connect(host) as session:
        yield session


def test_a_real_server_gives_and_takes_every_byte(link: Session, tmp_path: Path) -> None:
    path = str(tmp_path / "file")
    sftp = link.sftp()
    sftp.write_stream(path, 0, [DATA[:1_000_000]])
    sftp.write_stream(path, 1_000_000, [DATA[1_000_000:2_000_000], DATA[2_000_000:]])
    assert b"".join(sftp.read_stream(path, 0, len(DATA))) == DATA
    assert b"".join(sftp.read_stream(path, 2_999_000, 9_000_000)) == DATA[2_999_000:]
    sftp.write_stream(path, 0, [b"short"])
    assert Path(path).read_bytes() == b"short"
    sftp.close()


def test_a_second_writer_of_the_same_bytes_takes_none_away(link: Session, tmp_path: Path) -> None:
    """Two clients push one checkpoint: the slower one begins when the faster one has had it proven."""
    path = tmp_path / "file"
    path.write_bytes(DATA)
    seen = list[int]()

    def slowly() -> Iterator[bytes]:
        for at in range(0, len(DATA), 1_000_000):
            seen.append(path.stat().st_size)
            yield DATA[at : at + 1_000_000]

    for sink in (SftpSink(link.sftp), LocalSink()):
        sink.write(str(path), 0, slowly(), lambda _count: None)
        sink.close()
        assert set(seen) == {len(DATA)}
        assert path.read_bytes() == DATA
        path.write_bytes(DATA + b"of another")
        sink.write(str(path), 0, [DATA], lambda _count: None)
        sink.close()
        assert path.read_bytes() == DATA


def test_what_a_real_server_refuses_has_its_own_error(link: Session, tmp_path: Path) -> None:
    errors: list[tuple[Callable[[Any], object], type[OSError]]] = [
        (lambda sftp: list(sftp.read_stream(str(tmp_path / "none"), 0, 10)), FileNotFoundError),
        (lambda sftp: sftp.write_stream(str(tmp_path / "no" / "folder"), 0, [b"x"]), FileNotFoundError),
        (lambda sftp: sftp.write_stream(str(tmp_path), 0, [b"x"]), OSError),
    ]
    for act, kind in errors:
        with pytest.raises(kind):
            act(link.sftp())
    assert call(link, "ping", {"n": 1})["n"] == 1


def test_another_paramiko_is_gone_about_the_public_way(
    link: Session, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("remote.ssh.bulk.BulkSftp.is_pipelined", False)
    path, sent = str(tmp_path / "file"), list[int]()
    sftp = link.sftp()
    sftp.write_stream(path, 0, [DATA[:1_000_000]], sent.append)
    sftp.write_stream(path, 1_000_000, [DATA[1_000_000:]], sent.append)
    assert sum(sent) == len(DATA)
    assert b"".join(sftp.read_stream(path, 7, len(DATA))) == DATA[7:]
    sftp.write_stream(path, 0, [b"short"])
    assert Path(path).read_bytes() == b"short"
    with pytest.raises(FileNotFoundError):
        list(sftp.read_stream(str(tmp_path / "none"), 0, 10))
    sftp.close()


def test_private_methods_are_taken_only_as_they_are_known() -> None:
    class Gone:
        pass

    class Changed(paramiko.SFTPClient):
        def _read_response(self, waitfor: Any = None, *, deadline: float = 0.0) -> None:
            """As a later release might have it."""

    assert are_known()
    assert not are_known(Gone)
    assert not are_known(Changed)
