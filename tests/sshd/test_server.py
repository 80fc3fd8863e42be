"""The harness itself, against plain OpenSSH clients."""

import os
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from remote.hosts.placement import read_placement
from tests.sshd.client import Laptop, make_key
from tests.sshd.needs import program
from tests.sshd.processes import marked
from tests.sshd.server import MARK, Sshd, User
from tests.waiting import wait_until

StartSshd = Callable[..., Sshd]


def test_a_user_logs_in_to_a_home_of_its_own(sshd: Sshd) -> None:
    done = sshd.ssh("plain", "pwd; echo $USER; env")
    lines = done.stdout.decode().splitlines()
    assert (done.returncode, lines[:2]) == (0, [str(sshd.home("plain")), "plain"])
    assert f"{MARK}={sshd.folder}" in lines
    assert not [line for line in lines if "NSS_WRAPPER" in line or line.startswith("LD_PRELOAD")]
    assert sshd.home("plain") != Path.home()


def test_shells_misbehave_as_they_are_told(start_sshd: StartSshd) -> None:
    users = [
        User("noisy", bashrc="echo hello; echo there >&2"),
        User("leaving", bashrc="exit 3"),
        User("slow", bashrc="sleep 0.2"),
        User("shellless", shell="/no/such/shell"),
    ]
    if program("fish"):
        users.append(User("fishy", shell=program("fish")))
    server = start_sshd(users)
    assert server.ssh("noisy", "echo me").stdout == b"hello\nme\n"
    left = server.ssh("leaving", "echo me")
    assert (left.returncode, left.stdout) == (3, b"")
    assert server.ssh("slow", "echo me").stdout == b"me\n"
    assert server.ssh("shellless", "echo me").returncode == 255
    assert server.ssh("nobody-here", "echo me").returncode == 255
    if program("fish"):
        assert server.ssh("fishy", "echo $FISH_VERSION").stdout.strip()


def test_sftp_and_scp_are_served(sshd: Sshd, tmp_path: Path) -> None:
    (tmp_path / "up").write_bytes(os.urandom(1 << 16))
    target = f"plain@127.0.0.1:{sshd.home('plain')}/down"
    subprocess.run(
        [
            sshd.laptop_program("scp"),
            "-q",
            *sshd.ssh_options(),
            "-P",
            str(sshd.port),
            tmp_path / "up",
            target,
        ],
        check=True,
        timeout=20,
    )
    assert (sshd.home("plain") / "down").read_bytes() == (tmp_path / "up").read_bytes()


def test_a_stranger_is_refused(sshd: Sshd, tmp_path: Path, laptop: Laptop) -> None:
    make_key(laptop.key)
    done = sshd.ssh("plain", "true")
    assert done.returncode == 255
    assert b"Permission denied" in done.stderr


def test_a_changed_host_key_is_another_key(sshd: Sshd) -> None:
    options = sshd.ssh_options()
    before = sshd.host_key_fingerprint
    sshd.change_host_key()
    assert sshd.host_key_fingerprint != before
    words = ["-p", str(sshd.port), "plain@127.0.0.1", "true"]
    refused = subprocess.run(["ssh", *options, *words], check=False, timeout=20, capture_output=True)
    assert refused.returncode == 255
    assert sshd.host_key_fingerprint.encode() in refused.stderr
    assert sshd.ssh("plain", "true").returncode == 0, "the new key is the expected one now"


@pytest.mark.parametrize("deed", ["stop", "kill_sessions"])
def test_a_connection_ends_with_its_server_and_the_users_process_does_not(sshd: Sshd, deed: str) -> None:
    command = "setsid sleep 60 >/dev/null 2>&1 </dev/null & echo up; sleep 60"
    with subprocess.Popen(sshd.ssh_argv("plain", command), stdout=subprocess.PIPE) as client:
        assert client.stdout is not None
        assert client.stdout.readline() == b"up\n"
        assert sshd.session_pids()
        getattr(sshd, deed)()
        assert client.wait(10) == 255
    assert marked(f"{MARK}={sshd.folder}")
    sshd.close()
    assert not marked(f"{MARK}={sshd.folder}")


def test_a_stopped_server_refuses_and_a_restarted_one_serves_on_the_same_port(sshd: Sshd) -> None:
    port = sshd.port
    sshd.stop()
    assert sshd.ssh("plain", "true").returncode == 255
    sshd.launch()
    assert sshd.port == port
    assert sshd.ssh("plain", "true").returncode == 0


def test_two_servers_are_two_hosts(sshd: Sshd, start_sshd: StartSshd) -> None:
    second = start_sshd([User("plain")], name="second")
    assert second.port != sshd.port
    assert second.host_key_fingerprint != sshd.host_key_fingerprint
    assert second.ssh("plain", "pwd").stdout != sshd.ssh("plain", "pwd").stdout


def test_the_laptops_ssh_reads_the_laptops_config(sshd: Sshd, laptop: Laptop) -> None:
    laptop.add_config(f"Host box\n  HostName 127.0.0.1\n  Port {sshd.port}\n  User plain")
    laptop.add_known_host(sshd.known_hosts_line())
    told = subprocess.run(
        ["ssh", "-G", "box"], capture_output=True, text=True, check=True
    ).stdout.splitlines()
    assert f"port {sshd.port}" in told
    assert subprocess.run(["ssh", "box", "true"], check=False, timeout=20).returncode == 0


def test_a_placed_agent_speaks_on_the_host(sshd: Sshd) -> None:
    host = sshd.host("plain", name="box")
    sshd.place(host, agent="--idle-exit 5", env={"NOTE": "it's here"})
    placement = read_placement(host)
    assert placement is not None
    with subprocess.Popen(
        sshd.ssh_argv("plain", placement.command), stdin=subprocess.PIPE, stdout=subprocess.PIPE
    ) as client:
        assert client.stdin is not None
        assert client.stdout is not None
        client.stdin.write(b'{"id":1,"verb":"hello","args":{"proto":[1,0],"version":"0","client":"test"}}\n')
        client.stdin.flush()
        assert client.stdout.readline()
        assert b'"ok"' in client.stdout.readline()
        assert marked("NOTE=it's here")
    wait_until(lambda: not marked("NOTE=it's here"), 10.0, "the agent to leave with its client")
    assert (sshd.home("plain") / ".photinus" / "host.json").exists()
