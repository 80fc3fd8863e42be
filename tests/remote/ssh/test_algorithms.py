"""A server that speaks nothing of ours: what it offers is named, and the line that lets us in."""

import struct
from collections.abc import Callable

import paramiko
import pytest

from remote.ssh.algorithms import KNOWN_TO_MOST, nothing_fits, offered
from remote.ssh.client import connect
from remote.transport.base import ConnectAttempt
from tests.remote.ssh.doors import refused, works
from tests.sshd.server import Sshd, User


def kexinit(*lists: str) -> bytes:
    return bytes(16) + b"".join(struct.pack(">I", len(one)) + one.encode() for one in lists)


@pytest.mark.parametrize(
    ("setting", "spoken"),
    [
        ("Ciphers", "chacha20-poly1305@openssh.com"),
        ("KexAlgorithms", "sntrup761x25519-sha512@openssh.com"),
        ("MACs", "umac-128-etm@openssh.com"),
    ],
)
def test_a_server_that_is_too_new_for_us_lets_us_in_after_the_remedy(
    start_sshd: Callable[..., Sshd], setting: str, spoken: str
) -> None:
    options = {setting: spoken}
    if setting == "MACs":
        options["Ciphers"] = "aes256-ctr"  # the others need none
    sshd = start_sshd([User("plain")], options=options)
    error = refused(sshd.host())
    assert error.code == "refused"
    assert f"no safe algorithm in common: {setting} of the host: {spoken}" in error.message
    remedy = f"{setting} +{KNOWN_TO_MOST[setting]}"
    assert error.remedy.startswith(f"{remedy} in its sshd_config")
    sshd.options[setting] = f"{spoken},{KNOWN_TO_MOST[setting]}"  # a `+` would add to sshd's own list
    sshd.restart()
    assert works(connect(sshd.host(), ConnectAttempt()))


def test_what_a_remedy_names_is_spoken_here() -> None:
    lists = {"KexAlgorithms": "kex", "HostKeyAlgorithms": "keys", "Ciphers": "ciphers", "MACs": "macs"}
    spoken = {name: getattr(paramiko.Transport, f"_preferred_{one}") for name, one in lists.items()}
    assert {name for name, value in KNOWN_TO_MOST.items() if value in spoken[name]} == set(KNOWN_TO_MOST)


def test_the_lists_of_a_first_message_are_read() -> None:
    message = kexinit("a,b,ext-info-s,kex-strict-s-v00@openssh.com", "k\x1b[2J", "c", "c", "m", "m")
    theirs = offered(message)
    assert theirs["KexAlgorithms"] == ["a", "b"]
    assert theirs["HostKeyAlgorithms"] == ["k"], "cleaned: a host says this"
    assert (theirs["Ciphers"], theirs["MACs"]) == (["c"], ["m"])
    many = {"Ciphers": [f"c{n}" for n in range(20)]}
    assert nothing_fits("(no acceptable ciphers)", many)[0].endswith("c4, c5 and 14 more")


@pytest.mark.parametrize("size", [0, 10, 16, 18, 21, 40])
def test_a_message_cut_short_says_nothing(size: int) -> None:
    assert offered(kexinit("abc", "def", "ghi")[:size]) == {}
    assert nothing_fits("(no acceptable ciphers)", {}) == ("", "")
    assert nothing_fits("something else", {"Ciphers": ["c"]}) == ("", "")
