"""Our reader of known_hosts against OpenSSH's own writer and reader, `ssh-keygen`."""

import base64
import subprocess
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from remote.ssh.known_hosts import (
    fingerprint,
    host_name,
    judge,
    known_line,
    known_types,
    read_known_hosts,
    type_of,
)
from tests.sshd.client import make_key
from tests.sshd.needs import need_sshd


def key(number: int, kind: str = "ssh-ed25519") -> bytes:
    def packed(data: bytes) -> bytes:
        return len(data).to_bytes(4, "big") + data

    return packed(kind.encode()) + packed(bytes([number]) * 32)


def line(names: str, number: int, kind: str = "ssh-ed25519", marker: str = "") -> str:
    body = base64.b64encode(key(number, kind)).decode()
    return f"{marker + ' ' if marker else ''}{names} {kind} {body} comment"


def says(text: str, name: str, number: int, kind: str = "ssh-ed25519") -> str:
    return judge(read_known_hosts(text, "f"), [name], key(number, kind)).is_


def test_a_key_is_known_unknown_or_changed() -> None:
    text = line("box,192.0.2.7", 1)
    assert says(text, "box", 1) == "known"
    assert says(text, "192.0.2.7", 1) == "known"
    assert says(text, "other", 1) == "unknown"
    assert says(text, "box", 2) == "changed"


def test_the_changed_line_is_named() -> None:
    text = f"# a comment\n\n{line('other', 3)}\n{line('box', 1)}\n"
    entry = judge(read_known_hosts(text, "known"), ["box"], key(2)).entry
    assert entry is not None
    assert (entry.file, entry.line, fingerprint(entry.key)) == ("known", 4, fingerprint(key(1)))


def test_a_port_is_part_of_the_name() -> None:
    text = f"{line('[box]:2222', 1)}\n{line('box', 2)}"
    assert host_name("BOX", 22) == "box"
    assert host_name("box", 2222) == "[box]:2222"
    assert says(text, "[box]:2222", 1) == "known"
    assert says(text, "[box]:2222", 2) == "changed"
    assert says(text, "box", 2) == "known"
    assert says(text, "[box]:2223", 1) == "unknown"


def test_wildcards_and_negations() -> None:
    text = line("*.lab,!bad.lab,10.0.?.1", 1)
    assert says(text, "a.lab", 1) == "known"
    assert says(text, "bad.lab", 1) == "unknown"
    assert says(text, "10.0.3.1", 1) == "known"
    assert says(text, "10.0.33.1", 1) == "unknown"
    assert says(line("!a.lab", 1), "a.lab", 1) == "unknown", "a negation alone matches nothing"
    assert says(line("[b]ox", 1), "box", 1) == "unknown", "brackets are no wildcard here"


def test_several_keys_of_a_host_are_all_known() -> None:
    text = f"{line('box', 1)}\n{line('box', 2, 'ssh-rsa')}\n{line('box', 3)}"
    assert [says(text, "box", number) for number in (1, 3, 4)] == ["known", "known", "changed"]
    assert says(text, "box", 2, "ssh-rsa") == "known"
    assert known_types(read_known_hosts(text, "f"), ["box"]) == ("ssh-ed25519", "ssh-rsa")


def test_revoked_wins_over_known_and_only_for_that_key() -> None:
    text = f"{line('box', 1)}\n{line('*', 1, marker='@revoked')}"
    assert says(text, "box", 1) == "revoked"
    assert says(text, "anything", 1) == "revoked"
    assert says(text, "box", 2) == "changed"
    assert says(line("box", 1), "box", 1) == "known"


def test_a_key_that_is_revoked_under_the_bare_name_is_revoked_on_every_port_and_alias() -> None:
    entries = read_known_hosts(f"{line('[box]:2222', 1)}\n{line('box', 1, marker='@revoked')}", "f")
    assert judge(entries, ["[box]:2222"], key(1)).is_ == "known", "as OpenSSH has it"
    assert judge(entries, ["[box]:2222"], key(1), ["box"]).is_ == "revoked"
    assert judge(entries, ["alias"], key(1), ["box", "[box]:2222"]).is_ == "revoked"
    assert judge(entries, ["[box]:2222"], key(2), ["box"]).is_ == "changed"
    assert judge(entries, ["[far]:2222"], key(1), ["far"]).is_ == "unknown", "nobody revoked it for that host"


def test_an_authority_is_told_and_makes_nothing_known() -> None:
    verdict = judge(read_known_hosts(line("*.lab", 1, marker="@cert-authority"), "f"), ["a.lab"], key(1))
    assert (verdict.is_, verdict.has_authority) == ("unknown", True)


@pytest.mark.parametrize(
    "bad",
    ["box", "box ssh-ed25519", "box ssh-ed25519 ???", "box ssh-rsa " + line("x", 1).split()[2],
     "@new " + line("box", 1), "|1|x|y ssh-ed25519 " + line("x", 1).split()[2], "\x00\xff"],
)  # fmt: skip
def test_a_malformed_line_counts_for_nothing_and_hides_nothing(bad: str) -> None:
    assert says(bad, "box", 1) == "unknown"
    assert says(f"{bad}\n{line('box', 1)}", "box", 1) == "known"


@given(st.text(), st.text(max_size=30))
def test_no_text_makes_the_reader_fail(text: str, name: str) -> None:
    judge(read_known_hosts(text, "f"), [name], key(1))


def test_what_ssh_keygen_hashes_and_finds_we_find_too(tmp_path: Path) -> None:
    need_sshd()
    make_key(tmp_path / "k")
    public = (tmp_path / "k.pub").read_text().split()
    known = tmp_path / "known"
    known.write_text(f"[box.lab]:2222 {public[0]} {public[1]}\nplain {public[0]} {public[1]}\n")
    subprocess.run(["ssh-keygen", "-q", "-H", "-f", known], check=True, capture_output=True)
    assert known.read_text().startswith("|1|")
    entries, shown = read_known_hosts(known.read_text(), str(known)), base64.b64decode(public[1])
    assert judge(entries, ["[box.lab]:2222"], shown).is_ == "known"
    assert judge(entries, ["plain"], shown).is_ == "known"
    assert judge(entries, ["other"], shown).is_ == "unknown"
    told = subprocess.run(
        ["ssh-keygen", "-lf", tmp_path / "k.pub"], check=True, capture_output=True, text=True
    )
    assert told.stdout.split()[1] == fingerprint(shown)


def test_what_we_write_openssh_reads(tmp_path: Path) -> None:
    need_sshd()
    make_key(tmp_path / "k", "ecdsa")
    shown = base64.b64decode((tmp_path / "k.pub").read_text().split()[1])
    assert type_of(shown) == "ecdsa-sha2-nistp256"
    (tmp_path / "known").write_text(known_line("[box]:2222", shown))
    found = subprocess.run(
        ["ssh-keygen", "-F", "[box]:2222", "-f", tmp_path / "known"], capture_output=True, check=False
    )
    assert found.returncode == 0
