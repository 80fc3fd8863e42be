"""What becomes of a host's answer: frozen values, or a typed error; never anything else."""

import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from remote.deploy.survey import ANSWER_MAX, MAGIC, parse, probe
from remote.hosts.host import Host
from remote.protocol.errors import CallError, ProtocolError
from remote.protocol.sanitise import clean_line
from tests.remote.deploy.here import Canned
from tests.trials import trials

HOST = Host("box", address="ada@box")


def answer(**more: Any) -> dict[str, Any]:
    root = {
        "path": "/home/ada/.photinus",
        "exists": False,
        "writable": True,
        "free": 10**11,
        "device": "8:1",
        "mounts": ["27 1 8:1 / / rw,relatime - ext4 /dev/sda1 rw"],
        "envs": ["0123456789abcdef"],
    }
    return {
        "system": "linux",
        "release": "Linux-6.1",
        "arch": "x86_64",
        "umask": 18,
        "uid": 1000,
        "libc": "glibc 2.36",
        "uv": "",
        "root": root | more.pop("root", {}),
        "pythons": [
            {
                "path": "/usr/bin/python3",
                "version": "3.12.4",
                "packages": {"numpy": "2.1.0"},
                "site": ["/usr/lib/python3"],
                "tools": ["venv", "pip"],
                "asked": False,
            },
            {"path": "/opt/old/python3", "version": "3.9.6", "packages": {}, "asked": False},
        ],
        "accelerators": {"driver": "", "gpus": []},
        "login": {"kills": False, "lingers": False},
        "unreadable": [],
        "troubles": [],
    } | more


def line(**more: Any) -> bytes:
    return MAGIC + json.dumps(answer(**more)).encode() + b"\n"


def test_a_linux_host() -> None:
    found = parse(b"Welcome!\n" + line() + b"bye\n")
    assert [one.version for one in found.pythons] == [(3, 12, 4), (3, 9, 6)]
    assert found.pythons[0].tools == {"venv", "pip"}
    assert (found.filesystem, found.home_trouble, found.mps) == ("ext4", "", False)
    assert found.environments == ("0123456789abcdef",)


def test_a_mac_as_its_programs_answer_simulated() -> None:
    mounts = [
        "/dev/disk3s5 on /System/Volumes/Data (apfs, local, journaled)",
        "/dev/disk3s1 on / (apfs, sealed, local)",
    ]
    found = parse(
        line(
            system="darwin",
            arch="arm64",
            libc=" ",
            root={"path": "/Users/ada/.photinus", "mounts": mounts},
            unreadable=["/Users/ada/Documents"],
        )
    )
    assert found.mps
    assert found.filesystem == "apfs"
    assert found.unreadable == ("/Users/ada/Documents",)


@pytest.mark.parametrize(
    ("root", "words"),
    [
        ({"mounts": ["27 1 0:5 / /home rw - nfs4 server:/home rw"], "device": "0:5"}, ("nfs4", "home:")),
        ({"exists": True, "owner": 7, "mode": 0o700}, ("belongs to user 7",)),
        ({"exists": True, "owner": 1000, "mode": 0o755}, ("open to other users", "chmod 700")),
        ({"exists": True, "owner": 1000, "mode": 0o700, "link": True}, ("symbolic link", "home:")),
        (
            {"exists": True, "owner": 1000, "mode": 0o700, "link": True, "real": "/scratch/ada"},
            ("home: /scratch/ada", "--home /scratch/ada"),
        ),
        ({"writable": False}, ("cannot be made: no permission", "home:", "--home")),
        ({"writable": False, "flags": 1}, ("read-only", "home:", "--home")),
        ({"flags": 8 | 2}, ("noexec", "--home")),
    ],
)
def test_a_state_root_that_cannot_be_used_is_told_with_its_remedy(
    root: dict[str, Any], words: tuple[str, ...]
) -> None:
    found = parse(line(root=root))
    said = f"{found.home_trouble} / {found.home_remedy}"
    assert all(word in said for word in words), said


def test_a_good_state_root_is_no_trouble() -> None:
    assert parse(line(root={"exists": True, "owner": 1000, "mode": 0o700})).home_trouble == ""


def test_logind_kills_only_those_who_do_not_linger() -> None:
    assert parse(line(login={"kills": True, "lingers": False})).kill_user_processes
    assert not parse(line(login={"kills": True, "lingers": True})).kill_user_processes
    assert not parse(line(login=None)).kill_user_processes


def test_escapes_and_directions_do_not_get_through() -> None:
    found = parse(line(release="\x1b]0;pwned\x07\x1b[31mred\u202egnp", unreadable=["/a\x1b[2Jb"]))
    assert found.release == "redgnp"
    assert found.unreadable == ("/ab",)


def test_no_python_is_told_as_such() -> None:
    with pytest.raises(CallError, match="no Python 3 that runs") as caught:
        probe(Canned(b"motd\nphotinus-no-python\n", 127), HOST)
    assert caught.value.code == "refused"
    assert "uv python install" in caught.value.remedy


def test_an_answer_that_is_none_shows_what_the_host_said() -> None:
    with pytest.raises(CallError, match=r"exit code 1.*This account is disabled") as caught:
        probe(Canned(b"", 1, b"\x1b[1mThis account is disabled\x1b[0m\n"), HOST)
    assert "ssh ada@box" in caught.value.remedy
    assert "\x1b" not in str(caught.value)
    with pytest.raises(CallError, match="exec: restricted") as caught:
        probe(Canned(b"", 1, b"rbash: line 1: exec: restricted\n"), HOST)
    assert "restricted shell" in caught.value.remedy
    assert "python3 --version" not in caught.value.remedy, "a restricted shell runs that very line"


@pytest.mark.parametrize(
    "broken",
    [
        {"root": {"free": "much"}},
        {"root": {"free": True}},
        {"root": {"path": None}},
        {"pythons": [{"path": "/p", "version": "three"}]},
        {"pythons": [{"path": 3, "version": "3.12"}]},
        {"pythons": ["/usr/bin/python3"]},
        {"accelerators": None},
        {"uid": "root"},
        {"system": {"linux": 1}},
    ],
)
def test_a_malformed_answer_is_a_typed_error(broken: dict[str, Any]) -> None:
    with pytest.raises(ProtocolError):
        parse(line(**broken))


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=6), inner, max_size=3),
    max_leaves=8,
)
PATHS = st.sampled_from(
    ["root", "pythons", "accelerators", "login", "unreadable", "system", "uid", "uv", "troubles"]
)


@settings(max_examples=trials(150, 5000))
@given(st.dictionaries(PATHS, JSON, max_size=3))
def test_whatever_a_host_answers_is_parsed_or_a_typed_error(changes: dict[str, Any]) -> None:
    raw = answer() | changes
    try:
        found = parse(MAGIC + json.dumps(raw).encode() + b"\n")
    except ProtocolError:
        return
    assert all(clean_line(text) == text for text in (found.system, found.home, found.release))


@settings(max_examples=trials(150, 5000))
@given(st.binary(max_size=300))
def test_garbage_is_a_typed_error(garbage: bytes) -> None:
    with pytest.raises(ProtocolError):
        parse(MAGIC + garbage)


def test_an_endless_answer_is_cut() -> None:
    with pytest.raises(ProtocolError):
        parse(MAGIC + b"[" * (4 * ANSWER_MAX))
    assert parse(b"x" * (4 * ANSWER_MAX) + b"\n" + line()).system == "linux"
