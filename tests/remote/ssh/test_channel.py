"""Commands on a real host: both streams at once, large ones, late ones, and links that break under them."""

import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from remote.ssh.client import SshClient, connect
from remote.transport.base import ConnectAttempt
from tests.sshd.delay import DelayProxy
from tests.sshd.server import Sshd
from tests.waiting import wait_until


@pytest.fixture
def client(sshd: Sshd) -> Iterator[SshClient]:
    opened = connect(sshd.host(), ConnectAttempt())
    yield opened
    opened.close()


def test_a_command_has_its_input_and_tells_both_streams_and_its_code(client: SshClient) -> None:
    ran = client.run("cat; echo wrong >&2; exit 7", b"given\n")
    assert (ran.code, ran.out, ran.err) == (7, b"given\n", b"wrong\n")
    assert client.run("kill -9 $$").code == -1
    assert client.run("true").code == 0, "a connection serves many commands"


def test_five_megabytes_on_stderr_do_not_block_stdout(client: SshClient) -> None:
    ran = client.run("head -c 5000000 /dev/zero >&2; echo done; head -c 3000000 /dev/zero", timeout_s=20.0)
    assert (ran.code, len(ran.err), len(ran.out)) == (0, 5_000_000, 5 + 3_000_000)


def test_much_goes_in_while_much_comes_out(client: SshClient) -> None:
    data = bytes(range(256)) * 40_000
    assert client.run("cat", data, timeout_s=30.0).out == data


def test_output_is_told_as_it_comes(client: SshClient) -> None:
    heard: list[tuple[float, bytes]] = []
    client.run("echo a; sleep 0.4; echo b", on_output=lambda data: heard.append((time.monotonic(), data)))
    assert [data for _, data in heard] == [b"a\n", b"b\n"]
    assert heard[1][0] - heard[0][0] > 0.2


def test_a_command_that_takes_too_long_is_given_up_and_the_connection_lives(client: SshClient) -> None:
    with pytest.raises(TimeoutError, match=r"longer than 0.3 s"):
        client.run("sleep 30", timeout_s=0.3)
    assert client.run("echo still here").out == b"still here\n"


def test_a_command_that_closes_its_streams_and_goes_on_is_waited_for(client: SshClient) -> None:
    assert client.run("exec >&- 2>&-; sleep 0.2; exit 4").code == 4


def test_a_link_that_breaks_under_a_command_is_an_error_and_no_result(
    sshd: Sshd, slow_link: Callable[[float], DelayProxy]
) -> None:
    road = slow_link(0.0)
    client = connect(sshd.host(port=road.port), ConnectAttempt())
    threading.Timer(0.3, road.cut).start()
    with pytest.raises(OSError, match=r"."):
        client.run("echo part; sleep 30")
    with pytest.raises(OSError, match=r"."):
        client.run("true")
    with pytest.raises(OSError, match=r"."):
        client.sftp()
    client.close()


def test_an_agent_speaks_and_its_end_is_told(client: SshClient, sshd: Sshd) -> None:
    pipe = client.open_agent("cat; echo bye >&2; exit 5")
    pipe.write(b"hello\n")
    assert pipe.read() == b"hello\n"
    ending = pipe.close()
    assert (ending.code, ending.text) == (5, "the agent exited with code 5")
    assert pipe.close().code == 5
    wait_until(lambda: not sshd.session_pids(), 10.0, "the connection to end with it")


def test_an_agent_that_will_not_leave_is_left_and_its_channel_closed(client: SshClient, sshd: Sshd) -> None:
    pipe = client.open_agent("trap '' HUP; exec sleep 30")
    began = time.monotonic()
    assert pipe.close().code is None
    assert time.monotonic() - began < 5.0
    wait_until(lambda: not sshd.session_pids(), 10.0, "the connection to end")


def test_closing_never_waits_for_a_silent_host(sshd: Sshd, slow_link: Callable[[float], DelayProxy]) -> None:
    road = slow_link(0.0)
    pipe = connect(sshd.host(port=road.port), ConnectAttempt()).open_agent("exec cat")
    road.pause()

    def fill() -> None:
        with pytest.raises(OSError, match=r"."):
            pipe.write(b"x" * (1 << 26))

    filler = threading.Thread(target=fill)
    filler.start()
    began = time.monotonic()
    pipe.close()
    assert time.monotonic() - began < 5.0
    filler.join(5.0)
    assert not filler.is_alive()


def test_of_a_flood_only_the_end_is_kept(client: SshClient, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("remote.ssh.channel.KEPT", 1000)
    told = list[int]()
    ran = client.run(
        "head -c 300000 /dev/zero; head -c 300000 /dev/zero >&2; echo end; echo end >&2",
        on_output=lambda data: told.append(len(data)),
    )
    assert (len(ran.out), len(ran.err), sum(told)) == (1000, 1000, 300_004)
    assert ran.out.endswith(b"end\n")
    assert ran.err.endswith(b"end\n")


@pytest.mark.parametrize("words", [r"\000\000\000\002\002x", r"\000\000\000\002xy", "no packet at all"])
def test_what_is_no_sftp_server_is_told_and_gives_its_channel_back(
    start_sshd: Callable[..., Sshd], tmp_path: Path, words: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    program = tmp_path / "server"
    program.write_text(f"#!/bin/sh\nprintf '{words}'\nexec cat >/dev/null\n")
    program.chmod(0o755)
    monkeypatch.setattr("remote.ssh.client.CHANNELS", 1)
    monkeypatch.setattr("remote.ssh.client.OPENING_S", 3.0)
    client = connect(start_sshd(options={"Subsystem": f"sftp {program}"}).host(), ConnectAttempt())
    for _ in range(2):
        with pytest.raises(OSError, match="box offers no SFTP"):
            client.sftp()
    assert client.run("echo here").out == b"here\n"
    client.close()


def test_a_host_without_sftp_is_told(start_sshd: Callable[..., Sshd]) -> None:
    sshd = start_sshd(options={"Subsystem": "other /bin/false"})
    client = connect(sshd.host(), ConnectAttempt())
    with pytest.raises(OSError, match=r"box"):
        client.sftp()
    assert client.run("echo here").out == b"here\n"
    client.close()
