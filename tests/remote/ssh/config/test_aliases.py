"""Which hosts an ssh configuration names."""

from pathlib import Path

import pytest

from remote.ssh.config.aliases import Alias, read_aliases, ssh_config_path


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    made = tmp_path / ".ssh"
    made.mkdir()
    return made


def names(folder: Path, text: str) -> list[str]:
    (folder / "config").write_text(text)
    return [alias.name for alias in read_aliases(folder / "config")]


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("Host a\n  HostName x\nHost b c\n", ["a", "b", "c"]),
        ("Host *\n  User me\nHost a*  a? !a  real\n", ["real"]),
        ("host=a\nHOST = b\n  Host  c\n", ["a", "b", "c"]),
        ('Host "a" b # trailing\n# Host d\n', ["a", "b"]),
        ("Host a\nHost a b\n", ["a", "b"]),
        ("Match host m exec true\n  HostName y\n", []),
        ("HostName lonely\nHostKeyAlias z\n", []),
        ('Host "open\nHost ok\n', ["ok"]),
        ("", []),
    ],
)
def test_concrete_names_in_their_order_each_once(folder: Path, text: str, found: list[str]) -> None:
    assert names(folder, text) == found


def test_included_files_are_read_in_their_place(folder: Path, tmp_path: Path) -> None:
    (folder / "more.d").mkdir()
    (folder / "more.d" / "1").write_text("Host one\n")
    (folder / "more.d" / "2").write_text("Host two\nInclude ~/.ssh/deep\n")
    (folder / "deep").write_text("Host deep\n")
    (tmp_path / "else").write_text("Host elsewhere\n")
    text = f"Host a\nInclude more.d/* {tmp_path}/else missing\nHost z\n"
    assert names(folder, text) == ["a", "one", "two", "deep", "elsewhere", "z"]


def test_files_that_include_each_other_end(folder: Path) -> None:
    (folder / "loop").write_text("Include config\nHost loop\n")
    assert set(names(folder, "Include loop\nHost a\n")) == {"a", "loop"}


def test_a_host_of_repositories_is_told_apart(folder: Path) -> None:
    (folder / "config").write_text("Host forge\n  User git\nHost box\n  User ada\n")
    assert [(one.name, one.is_forge) for one in read_aliases(folder / "config")] == [
        ("forge", True),
        ("box", False),
    ]
    assert Alias("x").is_forge is False


def test_the_file_is_the_users_own(tmp_path: Path) -> None:
    assert ssh_config_path({"HOME": str(tmp_path)}) == tmp_path / ".ssh" / "config"
    assert read_aliases(tmp_path / "none") == []
