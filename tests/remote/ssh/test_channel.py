"""Commands on a real host: both streams at once, large ones, late ones, and links that break under them."""

import contextlib
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from remote.protocol.errors import CallError
from remote.ssh.client import SshClient, connect
from remote.transport.base import ConnectAttempt
from remote.transport.sftp import Sftp
from tests.sshd.delay import DelayProxy
from tests.sshd.server import Sshd, User
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
    pipe = client.open_agent(
        "trap '' HUP; exec sleep 300"
    )  # who waited for its end would not see this test's
    assert pipe.close().code is None
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
    pipe.close()  # the road stays silent: who waited for an answer would wait for ever
    filler.join(20.0)
    assert not filler.is_alive()
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


NO_SFTP = {
    "none": "other /bin/false",
    "missing": "sftp /no/such/server",
    "half an answer": r"sftp /usr/bin/printf \\000\\000\\000\\002\\002x",
    "garbage": "sftp /bin/echo no packet at all",
}


@pytest.mark.parametrize("subsystem", NO_SFTP.values(), ids=NO_SFTP)
def test_a_host_without_sftp_has_its_files_moved_all_the_same(
    start_sshd: Callable[..., Sshd], tmp_path: Path, subsystem: str
) -> None:
    client = connect(start_sshd(options={"Subsystem": subsystem}).host(), ConnectAttempt())
    folder = tmp_path / "files"
    folder.mkdir()
    data = bytes(range(256)) * 2000
    for _ in range(2):
        sftp = client.sftp()
        sftp.write_stream(f"{folder}/a", 0, [data, data])
        assert b"".join(sftp.read_stream(f"{folder}/a", 1, len(data) + 5)) == (data + data)[1 : len(data) + 5]
        sftp.posix_rename(f"{folder}/a", f"{folder}/b")
        sftp.close()
    assert not client.offers_sftp
    assert (folder / "b").read_bytes() == data + data
    assert client.run("echo here").out == b"here\n"
    client.close()


def test_our_server_says_what_any_other_says(start_sshd: Callable[..., Sshd], tmp_path: Path) -> None:
    """The same calls with OpenSSH's server and with ours: the same answers, errors and files."""
    answers = []
    for number, subsystem in enumerate(("sftp internal-sftp", "other /bin/false")):
        sshd = start_sshd(name=f"sshd{number}", options={"Subsystem": subsystem})
        client = connect(sshd.host(), ConnectAttempt())
        assert client.sftp() is not None
        assert client.offers_sftp == (number == 0)
        place = tmp_path / f"place{number}"
        place.mkdir()
        answers.append(dialogue(client.sftp(), place))
        client.close()
    assert answers[0] == answers[1]


def dialogue(sftp: Sftp, place: Path) -> list[object]:
    told: list[object] = []

    def ask(act: Callable[[], object]) -> None:
        try:
            told.append(act())
        except OSError as error:
            told.append((type(error).__name__, error.errno))

    folder, file = f"{place}/folder", f"{place}/folder/file"
    ask(lambda: sftp.mkdir(folder, 0o750))
    ask(lambda: sftp.mkdir(folder, 0o750))
    ask(lambda: sftp.open(file, "rb"))
    with contextlib.closing(sftp.open(file, "wx")) as made:
        made.write(b"0123456789")
    ask(lambda: sftp.open(file, "wx"))
    with contextlib.closing(sftp.open(file, "r+")) as made:
        made.seek(4)
        made.write(b"XYZ")
    with contextlib.closing(sftp.open(file, "rb")) as made:
        told.append(made.read(6))
        told.append(made.read())
    ask(lambda: sftp.chmod(file, 0o640))
    ask(lambda: (sftp.stat(file).st_size, sftp.stat(file).st_mode))
    ask(lambda: [(one.filename, one.st_size) for one in sftp.listdir_attr(folder) if one.filename == "file"])
    ask(lambda: sftp.rmdir(folder))
    ask(lambda: sftp.posix_rename(file, f"{file}2"))
    ask(lambda: sftp.remove(file))
    ask(lambda: sftp.remove(f"{file}2"))
    ask(lambda: sftp.rmdir(folder))
    ask(lambda: sftp.stat(folder))
    told.append(sorted(path.name for path in place.iterdir()))
    sftp.close()
    return told


def test_a_host_with_neither_sftp_nor_a_python_is_refused_for_good(start_sshd: Callable[..., Sshd]) -> None:
    no_python = 'case "$BASH_EXECUTION_STRING" in *python3*) echo no python here; exit 1;; esac'
    bare = User("bare", bashrc=no_python)
    sshd = start_sshd([bare], options={"Subsystem": "other /bin/false"})
    client = connect(sshd.host("bare"), ConnectAttempt())
    with pytest.raises(CallError, match="box offers no SFTP") as caught:
        client.sftp()
    client.close()
    assert (caught.value.code, caught.value.exit_code) == ("refused", 3)
    assert "Subsystem sftp internal-sftp" in caught.value.remedy
