"""Files beside the agent: a session's SFTP channels."""

import threading
from collections.abc import Callable

import pytest

from remote.hosts.host import LOCAL
from remote.protocol.errors import CallError, TimeoutError_, UnreachableError
from remote.session.session import Session, connect
from remote.ssh.client import connect as connect_ssh
from remote.transport.base import ConnectAttempt
from tests.remote.calling import call
from tests.remote.ssh.sessions import QUICK, StartSshd, is_connected, losses, placed
from tests.sshd.delay import DelayProxy
from tests.sshd.server import Sshd
from tests.waiting import wait_until


def test_files_go_beside_the_agent_on_the_same_connection(
    sshd: Sshd, slow_link: Callable[[float], DelayProxy]
) -> None:
    road = slow_link(0.0)
    with connect(placed(sshd, port=road.port), timings=QUICK) as session:
        sftp = session.sftp()
        with_file = sftp.open(str(sshd.home("plain") / "file"), "w")
        with_file.write(b"bytes")
        with_file.close()
        assert sftp.stat(str(sshd.home("plain") / "file")).st_size == 5
        assert call(session, "ping", {"n": 1})["n"] == 1
        assert road.accepted == 1, "one connection a host"
        road.cut()
        with pytest.raises(OSError, match=r"."):
            sftp.stat("/")
        sftp.close()
        wait_until(lambda: losses(session.drain()), 10.0, "the loss")
        wait_until(is_connected(session), 15.0, "the link")
        session.sftp().close()


def test_there_are_eight_channels_and_the_ninth_waits(sshd: Sshd, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("remote.ssh.client.OPENING_S", 0.3)
    with connect(placed(sshd), timings=QUICK) as session:
        opened = [session.sftp() for _ in range(7)]
        with pytest.raises(TimeoutError_, match="8 channels"):
            session.sftp()
        threading.Timer(0.1, opened.pop().close).start()
        opened.append(session.sftp())
        for sftp in opened:
            sftp.close()


def test_a_server_that_allows_fewer_channels_makes_us_wait(
    start_sshd: StartSshd, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("remote.ssh.client.OPENING_S", 1.0)
    sshd = start_sshd(options={"MaxSessions": "2"})
    with connect(placed(sshd), timings=QUICK) as session:
        first = session.sftp()
        threading.Timer(0.2, first.close).start()
        second = session.sftp()
        with pytest.raises(TimeoutError_, match="no further channel") as caught:
            session.sftp()
        assert "MaxSessions" in caught.value.remedy
        second.close()
        session.sftp().close()


def test_files_need_a_link_and_local_has_none(sshd: Sshd) -> None:
    sshd.stop()
    with (
        Session(placed(sshd), timings=QUICK) as session,
        pytest.raises(UnreachableError, match="not connected"),
    ):
        session.sftp()
    with connect(LOCAL, timings=QUICK) as here, pytest.raises(CallError) as caught:
        here.sftp()
    assert caught.value.code == "refused"


def test_one_session_on_a_connection_is_enough(start_sshd: StartSshd) -> None:
    sshd = start_sshd(options={"MaxSessions": "1"})
    host = placed(sshd)
    client = connect_ssh(host, ConnectAttempt())
    for number in range(5):  # a channel that we have closed may still count there
        assert client.run(f"echo {number}").out == f"{number}\n".encode()
        client.sftp().close()
    client.close()
    with connect(host, timings=QUICK) as session:
        files = session.sftp()
        assert files.stat(".").st_mode, "beside the agent, over a connection of its own"
        both = len(sshd.session_pids())
        files.close()
        wait_until(lambda: len(sshd.session_pids()) < both, 10.0, "that connection to end with its channel")
        assert call(session, "ping", {"n": 1})["n"] == 1


def test_a_server_that_opens_no_session_is_no_time_out(
    start_sshd: StartSshd, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("remote.ssh.client.CLOSING_S", 0.3)
    client = connect_ssh(start_sshd(options={"MaxSessions": "0"}).host(), ConnectAttempt())
    with pytest.raises(CallError, match="opens no session") as caught:
        client.run("true")
    client.close()
    assert caught.value.code == "refused"
    assert "ChannelException" not in caught.value.message
    assert "MaxSessions" in caught.value.remedy
