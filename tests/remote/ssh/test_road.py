"""The way to a server: jumps, each of them verified, ProxyCommand, and every way in which it is not there."""

import shlex
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from remote.hosts.address import ssh_words
from remote.hosts.client_state import client_folder
from remote.hosts.host import Host
from remote.protocol.errors import CallError, QuestionError
from remote.ssh.client import connect
from remote.transport.base import Answers, ConnectAttempt
from tests.remote.ssh.doors import refused, works
from tests.sshd.client import Laptop, make_key
from tests.sshd.delay import DelayProxy
from tests.sshd.netns import Village
from tests.sshd.processes import marked
from tests.sshd.server import Sshd, User, free_port
from tests.waiting import wait_until

StartSshd = Callable[..., Sshd]


def unreachable(host: Host, deadline_s: float = 5.0) -> str:
    with pytest.raises(OSError, match=r".") as caught:
        connect(host, ConnectAttempt(deadline_s=deadline_s)).close()
    return str(caught.value)


@contextmanager
def listener(say: bytes = b"") -> Iterator[int]:
    """A port where somebody answers who is no SSH server."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        opened: list[socket.socket] = []

        def serve() -> None:
            while True:
                try:
                    link, _ = server.accept()
                except OSError:
                    return
                opened.append(link)
                link.sendall(say)

        threading.Thread(target=serve, daemon=True).start()
        yield server.getsockname()[1]
        for link in opened:
            link.close()


def test_a_host_behind_another_is_reached_and_both_keys_are_checked(
    town: Village, start_sshd: StartSshd, laptop: Laptop
) -> None:
    jump = start_sshd([User("keeper")], name="jump", prefix=town.jump.prefix, address=town.jump.address)
    inner = start_sshd(name="inner", prefix=town.inner.prefix, address=town.inner.address)
    laptop.add_config(
        f"Host gate\n  HostName {jump.listen_on}\n  User keeper\n"
        f"Host inner\n  HostName {inner.listen_on}\n  User plain\n  ProxyJump gate"
    )
    host, answers, stages = Host("box", address="inner"), Answers(), list[str]()
    with pytest.raises(OSError, match=inner.listen_on):
        connect(Host("box", address=inner.address("plain")), ConnectAttempt(deadline_s=1.0))
    first = refused(host, answers)
    assert isinstance(first, QuestionError)
    assert (first.code, first.question.fingerprint) == ("key_unknown", jump.host_key_fingerprint)
    assert first.question.subject == f"{jump.listen_on}:22"
    answers.take(first.question, "")
    second = refused(host, answers)
    assert isinstance(second, QuestionError)
    assert second.question.fingerprint == inner.host_key_fingerprint
    answers.take(second.question, "")
    client = connect(host, ConnectAttempt(answers=answers, say=stages.append))
    try:
        assert client.run("pwd").out.decode().strip() == str(inner.home("plain"))
    finally:
        client.close()
    assert stages == ["dns", "tcp", "ssh", "auth", "tcp via gate", "ssh", "auth"]
    wait_until(lambda: not jump.session_pids(), 10.0, "the jump's connection to end with ours")
    jump.change_host_key()
    assert refused(host).code == "key_changed"


def test_a_jump_that_does_not_forward_or_reach_is_told(start_sshd: StartSshd, laptop: Laptop) -> None:
    closed = free_port()
    jump = start_sshd(name="jump")
    jump.host(name="jump")
    laptop.add_config(
        f"Host gate\n  HostName 127.0.0.1\n  Port {jump.port}\n  User plain\nHost far\n  HostName 127.0.0.1\n"
        f"  Port {closed}\n  ProxyJump gate"
    )
    assert "gate cannot reach" in unreachable(Host("box", address="far"))
    jump.options["AllowTcpForwarding"] = "no"
    jump.restart()
    error = refused(Host("box", address="far"))
    assert (error.code, "AllowTcpForwarding" in error.remedy) == ("refused", True)


def test_a_proxy_command_is_shown_once_and_then_used(sshd: Sshd, laptop: Laptop) -> None:
    carry = (
        "import socket, sys, threading, os\n"
        "s = socket.create_connection(('127.0.0.1', int(sys.argv[1])))\n"
        "def up():\n"
        "    while d := os.read(0, 65536): s.sendall(d)\n"
        "threading.Thread(target=up, daemon=True).start()\n"
        "while d := s.recv(65536): os.write(1, d)\n"
    )
    script = laptop.home / "carry.py"
    script.write_text(carry)
    laptop.add_config(
        f"Host box\n  HostName 127.0.0.1\n  Port {sshd.port}\n  User plain\n"
        f"  ProxyCommand {sys.executable} -S {script} %p"
    )
    sshd.trust()
    host, answers = Host("box", address="box"), Answers()
    error = refused(host, answers)
    assert isinstance(error, QuestionError)
    assert (error.code, error.question.kind) == ("proxy_unconfirmed", "proxy_command")
    assert error.question.subject == f"{sys.executable} -S {script} {sshd.port}"
    assert str(script) in error.message
    answers.take(error.question, "")
    assert works(connect(host, ConnectAttempt(answers=answers)))
    assert works(connect(host, ConnectAttempt())), "its confirmation is remembered"
    assert client_folder("proxy_commands").stat().st_mode & 0o777 == 0o600
    wait_until(lambda: not marked(f"HOME={laptop.home}"), 10.0, "the command to end with the connection")
    laptop.ssh_folder.joinpath("config").write_text(
        (laptop.ssh_folder / "config").read_text().replace("%p", "%p other")
    )
    assert refused(host).code == "proxy_unconfirmed", "another text is another command"


def test_a_proxy_command_that_fails_is_quoted(sshd: Sshd, laptop: Laptop) -> None:
    laptop.add_config("Host box\n  ProxyCommand sh -c 'echo no way there >&2; echo Disconnected >&2; exit 1'")
    host, answers = Host("box", address="box"), Answers()
    error = refused(host, answers)
    assert isinstance(error, QuestionError)
    answers.take(error.question, "")
    with pytest.raises(OSError, match=r"no way there \| Disconnected"):
        connect(host, ConnectAttempt(answers=answers))


@pytest.mark.parametrize("name", ["no-such-host.invalid", "a..b", "x" * 70])
def test_a_name_that_does_not_resolve_is_told(laptop: Laptop, name: str) -> None:
    assert "cannot be resolved" in unreachable(Host("box", address=f"me@{name}"))


def test_a_closed_port_is_told(laptop: Laptop) -> None:
    port = free_port()
    said = unreachable(Host("box", address=f"me@127.0.0.1:{port}"))
    assert f"127.0.0.1 port {port}" in said
    assert "refused" in said


@pytest.mark.parametrize("say", [b"HTTP/1.0 400 Bad Request\r\n" * 200, b"\x00\n" * 400])
def test_what_is_no_ssh_server_is_told(laptop: Laptop, say: bytes) -> None:
    with listener(say) as port:
        assert "SSH server" in unreachable(Host("box", address=f"me@127.0.0.1:{port}"))


def test_a_server_that_says_nothing_is_given_up_at_the_deadline(laptop: Laptop) -> None:
    with listener() as port:
        began = time.monotonic()
        said = unreachable(Host("box", address=f"me@127.0.0.1:{port}"), deadline_s=0.4)
        assert time.monotonic() - began > 0.3
    assert "no answer in 0.4 s (at ssh)" in said


def test_a_link_that_falls_silent_in_the_middle_of_a_handshake_is_given_up(
    sshd: Sshd, slow_link: Callable[[float], DelayProxy]
) -> None:
    road = slow_link(0.0)
    host = sshd.host(port=road.port)
    said = []
    for stage in ("ssh", "auth"):

        def hush(now: str, wanted: str = stage) -> None:
            if now == wanted:
                road.pause()

        with pytest.raises(TimeoutError) as caught:
            connect(host, ConnectAttempt(deadline_s=1.5, say=hush))
        said.append(str(caught.value))
        road.resume()
    assert ["(at ssh)" in said[0], "(at auth)" in said[1]] == [True, True]
    assert works(connect(host, ConnectAttempt()))


def test_who_gives_up_does_not_wait_for_the_deadline(laptop: Laptop) -> None:
    with listener() as port:
        dial, failed = ConnectAttempt(deadline_s=30.0), threading.Event()

        def attempt() -> None:
            with pytest.raises(OSError, match="given up"):
                connect(Host("box", address=f"me@127.0.0.1:{port}"), dial)
            failed.set()

        threading.Thread(target=attempt, daemon=True).start()
        dial.gave_up.set()
        assert failed.wait(5.0)


def paramiko_threads() -> list[str]:
    return [thread.name for thread in threading.enumerate() if "aramiko" in type(thread).__module__]


def test_a_failed_dial_leaves_no_connection_behind(sshd: Sshd, laptop: Laptop) -> None:
    host = sshd.host()
    make_key(laptop.key)
    for _ in range(3):
        with pytest.raises(CallError):
            connect(host, ConnectAttempt())
    wait_until(lambda: not sshd.session_pids(), 10.0, "the connections to end")
    wait_until(lambda: not paramiko_threads(), 10.0, "Paramiko's threads to end")


def test_a_slow_road_is_one_connection_with_no_needless_round_trip(
    sshd: Sshd, slow_link: Callable[[float], DelayProxy]
) -> None:
    road = slow_link(0.02)
    assert works(connect(sshd.host(port=road.port), ConnectAttempt()))
    assert road.accepted == 1


def test_an_ipv6_address_is_reached(start_sshd: StartSshd, laptop: Laptop, tmp_path: Path) -> None:
    if not socket.has_ipv6 or not Path("/proc/net/if_inet6").exists():
        pytest.skip("no IPv6 here")
    sshd = start_sshd()
    port = free_port()
    with socket.create_server(("::1", port), family=socket.AF_INET6) as server:

        def relay() -> None:
            link, _ = server.accept()
            with link, socket.create_connection(("127.0.0.1", sshd.port)) as onward:
                threading.Thread(target=copy, args=(onward, link), daemon=True).start()
                copy(link, onward)

        def copy(source: socket.socket, sink: socket.socket) -> None:
            try:
                while data := source.recv(65536):
                    sink.sendall(data)
            except OSError:
                return

        threading.Thread(target=relay, daemon=True).start()
        laptop.add_known_host(f"[::1]:{port} {sshd.host_key_line}")
        assert works(connect(Host("box", address=f"plain@[::1]:{port}"), ConnectAttempt()))


def test_a_resolver_that_hangs_is_given_up(laptop: Laptop, monkeypatch: pytest.MonkeyPatch) -> None:
    go = threading.Event()

    def resolve(*_: object, **__: object) -> list[object]:
        go.wait(20.0)
        return []

    monkeypatch.setattr("remote.ssh.tcp.socket.getaddrinfo", resolve)
    try:
        with pytest.raises(TimeoutError, match=r"no answer in 0.3 s \(at dns\)"):
            connect(Host("box", address="me@box"), ConnectAttempt(deadline_s=0.3))
    finally:
        go.set()


@pytest.mark.parametrize("way", ["address", "HostName"])
def test_a_link_local_address_with_its_zone(
    town: Village, start_sshd: StartSshd, laptop: Laptop, way: str
) -> None:
    """A Mac on a cable: no name, no router, only `fe80::..%en5`."""
    if not Path("/proc/net/if_inet6").exists():
        pytest.skip("no IPv6 here")
    town.jump.run("ip", "address", "add", "fe80::2/64", "dev", "cable", "nodad")
    cable = f"pht{town.jump.pid}"
    subprocess.run(["ip", "address", "add", "fe80::1/64", "dev", cable, "nodad"], check=True)
    sshd = start_sshd(prefix=town.jump.prefix, address="fe80::2%cable")
    laptop.add_config(f"Host far\n  HostName fe80::2%%{cable}")
    address = f"plain@[fe80::2%{cable}]:22" if way == "address" else "plain@far"
    host = Host("far", address=address)
    error = refused(host)
    assert isinstance(error, QuestionError)
    assert error.question.subject == f"[fe80::2%{cable}]:22"
    laptop.add_known_host(f"fe80::2%{cable} {sshd.host_key_line}")
    assert works(connect(host, ConnectAttempt()))
    plain = sshd.run_laptop("ssh", "-o", "BatchMode=yes", "-o", "StrictHostKeyChecking=yes",
                            *shlex.split(ssh_words(address)), "echo in")  # fmt: skip
    assert plain.stdout == b"in\n", plain.stderr


@pytest.mark.parametrize("methods", ["publickey,password", "password"])
def test_a_jump_that_wants_more_than_a_key_is_passed_by_openssh_itself(
    start_sshd: StartSshd, laptop: Laptop, methods: str
) -> None:
    more = {"AuthenticationMethods": methods, "PasswordAuthentication": "yes"}
    jump = start_sshd(name="jump", options=more)
    inner = start_sshd(name="inner")
    laptop.add_config(f"Host gate\n  HostName 127.0.0.1\n  Port {jump.port}\n  User plain")
    before = (laptop.ssh_folder / "config").read_text()
    laptop.add_config("Host 127.0.0.1\n  ProxyJump gate")
    jump.trust()
    error = refused(inner.host())
    assert error.code == "auth_refused"
    assert "password" in error.message
    line = error.remedy.partition("in place of ProxyJump: ")[2].partition(";")[0]
    assert line == "ProxyCommand ssh -W %h:%p gate"
    jump.options.pop("AuthenticationMethods")  # in place of a master that a person has opened
    jump.restart()
    laptop.add_known_host(jump.known_hosts_line())
    laptop.ssh_folder.joinpath("config").write_text(before + f"Host 127.0.0.1\n  {line}\n")
    asked = refused(inner.host())
    assert isinstance(asked, QuestionError)
    answers = Answers()
    answers.take(asked.question, "yes")
    assert works(connect(inner.host(), ConnectAttempt(answers=answers)))


def test_a_host_itself_that_wants_a_second_factor_is_told_where_it_stands(start_sshd: StartSshd) -> None:
    more = {"AuthenticationMethods": "publickey,password", "PasswordAuthentication": "yes"}
    error = refused(start_sshd(options=more).host())
    assert "ProxyCommand" not in error.remedy, "there is no jump to pass"
    assert "docs/hosts.md" in error.remedy
