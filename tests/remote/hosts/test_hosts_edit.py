"""hosts.yaml changed as text: nothing of its owner's is lost, and what is not understood is left alone."""

import threading
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from remote.hosts.host import Host
from remote.hosts.hosts_edit import add_hosts, remove_host, stanza, with_hosts, without_host
from remote.hosts.hosts_file import parse_hosts, read_hosts
from remote.protocol.errors import CallError
from trainer.config.config_error import ConfigError

MINE = """\
# my machines

studio:   # under the desk
  address: ada@studio  # by name
  # it sleeps at night
  caffeinate: true

# rented
gpu: {address: gpu}
last: x"""


def test_a_host_is_written_as_it_is_read() -> None:
    host = Host("on", "ada@[::1]:22", home="/fast", confirm="name", caffeinate=False)
    assert parse_hosts(stanza(host), "h")[1] == host
    assert stanza(Host("box", "b")) == "box:\n  address: b\n"


def test_a_host_is_added_behind_everything_that_stands_there() -> None:
    text = with_hosts(MINE, [Host("box", "b"), Host("rack", "r")], "h")
    assert text == MINE + "\nbox:\n  address: b\nrack:\n  address: r\n"


def test_a_first_host_has_a_line_above_it_that_explains() -> None:
    text = with_hosts("", [Host("box", "b")], "h")
    assert text.startswith("# Hosts that Photinus reaches")
    assert text.endswith("box:\n  address: b\n")


def test_names_that_are_indented_get_company_as_deep() -> None:
    text = with_hosts("  a: b\n", [Host("box", "b")], "h")
    assert text == "  a: b\n  box:\n    address: b\n"


@pytest.mark.parametrize("text", ["{a: b}\n", "a: b\n...\n"])
def test_what_cannot_be_appended_to_is_left_alone_and_the_line_is_told(text: str) -> None:
    with pytest.raises(CallError) as caught:
        with_hosts(text, [Host("box", "me@b:22")], "h")
    assert caught.value.remedy == "add it by hand: box: {address: me@b:22}"


@pytest.mark.parametrize("name", ["studio", "Studio", "GPU"])
def test_a_name_that_is_there_is_not_added_again(name: str) -> None:
    with pytest.raises(CallError, match="already"):
        with_hosts(MINE, [Host(name, "b")], "h")


@pytest.mark.parametrize(
    ("name", "gone"),
    [
        ("studio", [3, 4, 5, 6]),
        ("gpu", [9]),
        ("last", [10]),
    ],
)
def test_only_the_hosts_own_lines_go(name: str, gone: list[int]) -> None:
    lines = MINE.splitlines(keepends=True)
    left = "".join(line for number, line in enumerate(lines, 1) if number not in gone)
    assert without_host(MINE, name, "h") == left


def test_a_host_that_shares_its_line_is_taken_out_by_hand() -> None:
    with pytest.raises(CallError, match="without touching something else") as caught:
        without_host("{a: b, c: d}\n", "a", "h")
    assert "begins in line 1" in caught.value.remedy


def test_a_host_that_others_lean_on_is_taken_out_by_hand() -> None:
    text = "a: &usual {address: x}\nb: *usual\n"
    with pytest.raises(CallError):
        without_host(text, "a", "h")
    assert without_host(text, "b", "h") == "a: &usual {address: x}\n"


def test_a_faulty_file_is_not_changed(tmp_path: Path) -> None:
    path = tmp_path / "hosts.yaml"
    path.write_text("a: 'b c'\n")
    with pytest.raises(ConfigError):
        add_hosts([Host("box", "b")], path)
    with pytest.raises(ConfigError):
        remove_host("a", path)
    assert path.read_text() == "a: 'b c'\n"


def test_the_file_is_private_and_its_folders_are_made(tmp_path: Path, home: Path) -> None:
    path = tmp_path / "new" / "deep" / "hosts.yaml"
    add_hosts([Host("box", "b")], path)
    assert path.stat().st_mode & 0o777 == 0o600
    assert path.parent.stat().st_mode & 0o777 == 0o700
    assert [entry.name for entry in path.parent.iterdir()] == ["hosts.yaml"]
    remove_host("box", path)
    assert [host.name for host in read_hosts(path)] == ["local"]


def test_a_link_into_somebodys_dotfiles_stays_one(tmp_path: Path, home: Path) -> None:
    real, link = tmp_path / "dotfiles.yaml", tmp_path / "hosts.yaml"
    real.write_text("a: b\n")
    link.symlink_to(real)
    add_hosts([Host("box", "b")], link)
    assert link.is_symlink()
    assert [host.name for host in read_hosts(real)] == ["local", "a", "box"]


def test_of_many_who_add_at_once_nobody_is_lost(tmp_path: Path, home: Path) -> None:
    path = tmp_path / "hosts.yaml"
    threads = [
        threading.Thread(target=add_hosts, args=([Host(f"h{number}", "b")], path)) for number in range(12)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert {host.name for host in read_hosts(path)} == {"local", *(f"h{number}" for number in range(12))}


NAMES = st.from_regex(r"[a-z][a-z0-9._:-]{0,8}", fullmatch=True).filter(lambda name: name != "local")
GAPS = st.sampled_from(["", "\n", "# note\n", "\n  # deeper\n\n", "# a: b\n"])


@given(
    st.lists(st.tuples(GAPS, NAMES), min_size=1, max_size=6, unique_by=lambda pair: pair[1].lower()),
    st.data(),
)
@settings(max_examples=60)
def test_adding_and_removing_gives_back_the_same_text(
    pairs: list[tuple[str, str]], data: st.DataObject
) -> None:
    text = "".join(gap + stanza(Host(name, "x")) for gap, name in pairs)
    known = parse_hosts(text, "h")
    new = data.draw(NAMES.filter(lambda name: name not in {host.name for host in known}))
    more = with_hosts(text, [Host(new, "y", confirm="none")], "h")
    assert parse_hosts(more, "h") == [*known, Host(new, "y", confirm="none")]
    assert without_host(more, new, "h") == text
