"""A host whose key is not the one we know: every command refuses, in words, before anybody logs in."""

from collections.abc import Callable

import pytest

from tests.end_to_end.ssh.box import Box
from tests.end_to_end.ssh.operating import Console
from tests.sshd.client import Laptop

VERBS = (
    ("ls", "--host", "box"),
    ("start", "--host", "box", "--command", "--", "true"),
    ("hosts", "test", "box"),
)
Record = Callable[[str, object], None]


@pytest.fixture
def console(laptop: Laptop, box: Box) -> Console:
    made = Console(laptop)
    made.know(box.host)
    return made


def log_ins(box: Box) -> int:
    return box.sshd.log.read_text().count("Accepted publickey")


def refused_everywhere(box: Box, console: Console, *shown: str) -> None:
    before = log_ins(box)
    for words in VERBS:
        answer = console(*words)
        assert answer.code == 3, f"{words} -> {answer.code}: {answer.out}{answer.err}"
        for text in shown:
            assert text in answer.out + answer.err, f"{words} does not show {text}: {answer.out}{answer.err}"
    assert log_ins(box) == before, "nobody logged in to a host that nobody vouches for"


@pytest.mark.chaos
@pytest.mark.claim(
    "changed, unknown and @revoked host keys: refused, with both fingerprints, before any log-in"
)
@pytest.mark.parametrize("fault", ["changed", "unknown", "revoked"])
def test_a_key_that_is_not_known_to_be_the_hosts_is_refused_by_every_command(
    box: Box, console: Console, laptop: Laptop, fault: str, record_property: Record
) -> None:
    known = box.sshd.host_key_fingerprint
    if fault == "changed":
        box.sshd.change_host_key()
        refused_everywhere(box, console, known, box.sshd.host_key_fingerprint)
    elif fault == "unknown":
        (laptop.root / "client" / "known_hosts").unlink()
        refused_everywhere(box, console, known, "--accept-host-key")
    else:
        laptop.add_known_host(f"@revoked * {box.sshd.host_key_line}")
        refused_everywhere(box, console, known, "revoked")
    record_property("trials", len(VERBS))


def test_the_key_that_is_known_is_let_through(box: Box, console: Console) -> None:
    """The control."""
    before = log_ins(box)
    assert console.do("ls", "--host", "box", "--json").json is not None
    assert log_ins(box) > before
