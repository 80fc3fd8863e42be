"""The village behind the loopback: what reaches what, and how silence is made."""

import socket
from collections.abc import Callable

import pytest

from tests.sshd.netns import Namespace, Village
from tests.sshd.server import Sshd, User

StartSshd = Callable[..., Sshd]


def server_in(start_sshd: StartSshd, place: Namespace, name: str) -> Sshd:
    return start_sshd([User("plain")], name=name, prefix=place.prefix, address=place.address)


def reaches(address: str, timeout: float = 5.0) -> bool:
    """Whether an SSH server speaks there; some networks accept a connection to anywhere."""
    try:
        with socket.create_connection((address, 22), timeout) as peer:
            return peer.recv(4) == b"SSH-"
    except OSError:
        return False


def test_the_inner_host_is_reached_through_the_jump_only(town: Village, start_sshd: StartSshd) -> None:
    jump = server_in(start_sshd, town.jump, "jump")
    inner = server_in(start_sshd, town.inner, "inner")
    assert jump.ssh("plain", "true").returncode == 0
    assert not reaches(inner.listen_on, 0.3)
    known = inner.folder / "both"
    known.write_text(f"{jump.known_hosts_line()}\n{inner.known_hosts_line()}\n")
    config = inner.folder / "config"
    config.write_text(
        f"Host *\n  IdentityFile {inner.laptop.key}\n  UserKnownHostsFile {known}\n  BatchMode yes\n"
        f"Host inner\n  HostName {inner.listen_on}\n  User plain\n  ProxyJump plain@{jump.listen_on}\n"
    )
    done = jump.run_laptop("ssh", "-F", str(config), "inner", "pwd")
    assert done.stdout.decode().strip() == str(inner.home("plain")), done.stderr


@pytest.mark.parametrize(("cut", "mend"), [("partition", "heal"), ("unplug", "plug_in")])
def test_a_cable_is_cut_and_mended(town: Village, start_sshd: StartSshd, cut: str, mend: str) -> None:
    server = server_in(start_sshd, town.jump, "jump")
    assert reaches(server.listen_on)
    with socket.create_connection((server.listen_on, 22), 5.0) as peer:
        assert peer.recv(4) == b"SSH-"
        getattr(town.jump, cut)()
        assert not reaches(server.listen_on, 0.3)
        getattr(town.jump, mend)()
        peer.sendall(b"SSH-2.0-test\r\n")
        assert peer.recv(4), "the open connection outlived the silence"
    assert reaches(server.listen_on)
