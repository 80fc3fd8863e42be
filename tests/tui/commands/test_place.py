"""`PATH` or `HOST:PATH`: which host is meant, and which path there."""

from pathlib import Path

import pytest

from remote.hosts.host import LOCAL, Host
from remote.protocol.errors import CallError
from tui.commands.logs.place import split_place

HOSTS = [LOCAL, Host("box", "me@box"), Host("box:2", "me@two"), Host("gpu.lab", "g")]


@pytest.mark.parametrize(
    ("text", "host", "path"),
    [
        ("box:/data/train.log", "box", "/data/train.log"),
        ("box:exp/*/train.log", "box", "~/exp/*/train.log"),
        ("box:~/exp", "box", "~/exp"),
        ("box:2:/x", "box:2", "/x"),
        ("gpu.lab:/a:b", "gpu.lab", "/a:b"),
        ("/a/box:/x", "local", "/a/box:/x"),
        ("local:/x/../y", "local", "/y"),
    ],
)
def test_the_longest_name_of_a_host_is_meant(text: str, host: str, path: str) -> None:
    found, place = split_place(text, HOSTS)
    assert (found.name, place) == (host, path)


def test_a_path_of_this_machine_is_from_the_root_on_and_a_file_with_a_colon_is_itself(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("HOME", "/home/ada")
    (tmp_path / "box:odd.log").touch()
    assert split_place("box:odd.log", HOSTS) == (LOCAL, f"{tmp_path}/box:odd.log")
    assert split_place("runs/*.log", HOSTS) == (LOCAL, f"{tmp_path}/runs/*.log")
    assert split_place("~/x", HOSTS) == (LOCAL, "/home/ada/x")


@pytest.mark.parametrize(
    ("text", "told"), [("boks:/x", "no host is called 'boks'"), ("box:", "names no file"), ("-", "stdin")]
)
def test_what_names_nothing_is_told(text: str, told: str) -> None:
    with pytest.raises(CallError, match=told) as caught:
        split_place(text, HOSTS)
    assert caught.value.remedy
