"""Names and addresses that mean something to a shell, a terminal or a file system, shown harmlessly."""

import random
import re
import string
from pathlib import Path

import pytest

from remote.hosts.address import split_address
from remote.hosts.host import Host
from remote.hosts.hosts_edit import stanza
from remote.hosts.hosts_file import hosts_path, parse_hosts, why_no_name
from remote.hosts.lookup import find_host
from remote.protocol.errors import CallError
from tests.trials import trials
from tests.tui.commands.conftest import Photinus

CORPUS = [
    "", " ", "a b", "a;touch owned", "$(touch owned)", "`touch owned`", "a|b", "a&b", "a>owned", "~root",
    "\x1b[31mred", "\x1b]0;title\x07", "a\nb", "a\rb", "\u202eevil", "a\u200bb", "\x9b31m", "é", "a\x7f",
    "../../owned", "/etc/passwd", "..", ".", "a/../b", "a" * 300, "a@b@-oProxyCommand=touch owned", "@",
    "@host", "user@", "a:b:c@", "[::1", "host:0", "host:99999", "host:22x", "%h", "{a: b}", "*", "a#b",
    "!!python/object:os.system", "box: {}", "- a",
]  # fmt: skip
HARMLESS = re.compile(r"[^\x00-\x09\x0b-\x1f\x7f-\x9f\u200b-\u200f\u202a-\u202e\u2066-\u2069]*")
PLAIN = re.compile(r"[A-Za-z0-9._+@-]*@?[][A-Za-z0-9._:-]+")


def test_no_hostile_name_gets_anywhere(
    photinus: Photinus, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    before = sorted(path.name for path in tmp_path.iterdir())
    refused = 0
    for text in CORPUS:
        for words in (("add", text, "me@127.0.0.1:1"), ("add", "box", text)):
            said = photinus("hosts", *words, "--no-test")
            assert said.code in (0, 2), (words, said)
            assert HARMLESS.fullmatch(said.err + said.out), (words, said)
            refused += said.code == 2
            if said.code == 0:  # then it was a plain one, and nothing else is in the file
                assert PLAIN.fullmatch(find_host(words[1]).address)
                hosts_path().unlink()
    assert refused > 1.8 * len(CORPUS)
    assert sorted(path.name for path in tmp_path.iterdir()) == before


@pytest.mark.chaos
def test_whatever_is_let_in_is_plain_and_reads_back_as_itself() -> None:
    chance = random.Random(7)
    signs = string.punctuation + " \x1b\x07\n\u202e\u200bab1"
    let_in = 0
    for _ in range(trials(500, 10_000)):
        text = "x" + "".join(chance.choices(signs, k=chance.randint(1, 8)))
        said = ""
        try:
            address = str(split_address(text))
        except CallError as error:
            address, said = "box", f"{error.message}{error.remedy}"
        assert HARMLESS.fullmatch(said)
        name = "box" if why_no_name(text) else text
        assert HARMLESS.fullmatch(why_no_name(text))
        assert PLAIN.fullmatch(address)
        assert PLAIN.fullmatch(name)
        assert parse_hosts(stanza(Host(name, address)), "h")[1] == Host(name, address)
        let_in += name == text or address != "box"
    assert let_in


def test_the_check_above_would_notice_an_escape() -> None:
    assert not any(HARMLESS.fullmatch(text) for text in ("\x1b[31m", "a\x07", "\u202e", "\x9b"))
    assert HARMLESS.fullmatch("plain text\nwith 'quotes' and é")
