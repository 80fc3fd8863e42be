"""Nothing is sent before our own command reads: what a start-up file puts in its place never sees a byte."""

from collections.abc import Callable
from pathlib import Path

import pytest

from remote.deploy.remote_python import Hearing, perform
from remote.deploy.survey import probe
from remote.hosts.host import Host
from remote.protocol.errors import CallError
from remote.session.link.link_state import Timings
from remote.session.session import Session
from remote.ssh.client import connect
from remote.transport.base import ConnectAttempt
from remote.transport.login_shell import READY, ReadyWord
from tests.remote.ssh.sessions import placed
from tests.sshd.server import Sshd, User
from tests.waiting import wait_until

StartSshd = Callable[..., Sshd]


@pytest.fixture
def replaced(start_sshd: StartSshd, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> tuple[Sshd, Path]:
    """A host whose start-up file puts another program in the shell's place; it keeps what it reads."""
    monkeypatch.setattr("remote.ssh.channel.READY_S", 0.3)
    heard = tmp_path / "heard"
    return start_sshd([User("u", bashrc=f"exec tee {heard} >/dev/null")]), heard


def probing(host: Host) -> None:
    client = connect(host, ConnectAttempt())
    try:
        probe(client, host)
    finally:
        client.close()


def performing(host: Host) -> None:
    client = connect(host, ConnectAttempt())
    try:
        perform(client, "/usr/bin/python3", b"print('x')", Hearing())
    finally:
        client.close()


@pytest.mark.parametrize("act", [probing, performing])
def test_a_program_goes_to_nobody_else(replaced: tuple[Sshd, Path], act: Callable[[Host], None]) -> None:
    sshd, heard = replaced
    with pytest.raises(CallError, match="ended with code 0 before it ran a command") as caught:
        act(sshd.host("u"))
    assert caught.value.code == "refused"
    assert "`exec`" in caught.value.remedy
    assert heard.read_bytes() == b"", "it was there, and read, and nothing came"


def test_a_start_up_file_that_asks_for_something_is_named(
    start_sshd: StartSshd, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It gets the end of our input, no byte of it, and then comes to our command: too late to be trusted."""
    monkeypatch.setattr("remote.ssh.channel.READY_S", 0.3)
    sshd = start_sshd([User("u", bashrc="echo which project?; read project")])
    with pytest.raises(CallError, match=r"waited for input.*which project\?") as caught:
        probing(sshd.host("u"))
    assert (caught.value.code, "`read`" in caught.value.remedy) == ("refused", True)


def test_a_request_goes_to_nobody_else_and_the_link_is_refused(replaced: tuple[Sshd, Path]) -> None:
    sshd, heard = replaced
    with Session(placed(sshd, "u"), timings=Timings(hello_s=0.3)) as session:
        wait_until(lambda: session.link.phase == "refused", 15.0, "the refusal")
        assert "ended before the agent began (code 0)" in session.link.reason
        assert "`exec`" in session.link.remedy
    assert heard.read_bytes() == b""


def test_who_reads_hears_all_of_it_whatever_a_shell_prints_before(start_sshd: StartSshd) -> None:
    sshd = start_sshd([User("u", bashrc=f"printf '{READY.decode()[:9]}'; echo noise; sleep 0.2")])
    client = connect(sshd.host("u"), ConnectAttempt())
    told = list[bytes]()
    try:
        ran = client.run("exec cat", b"all of it\n", on_output=told.append)
    finally:
        client.close()
    assert (ran.code, ran.out) == (0, READY[:9] + b"noise\nall of it\n")
    assert b"".join(told) == ran.out, "the word itself is not told"


@pytest.mark.parametrize("size", [1, 3, 100])
def test_the_word_is_found_in_whatever_pieces_it_comes(size: int) -> None:
    data = b"pho" + READY[:-2] + b"\n" + READY + b"rest" + READY
    word, out = ReadyWord(), b""
    for at in range(0, len(data), size):
        out += word.feed(data[at : at + size])
    assert word.is_received
    assert out + word.rest() == b"pho" + READY[:-2] + b"\n" + b"rest" + READY
    silent = ReadyWord()
    assert silent.feed(READY[:-1]) + silent.rest() == READY[:-1]
    assert not silent.is_received
