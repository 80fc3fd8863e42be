"""The verb `files`: what fits, what is refused with words, and how far it looks."""

import os
import socket
import stat
import tempfile
from pathlib import Path
from typing import Any

import pytest

from remote.agent.streams.path_search import PathSearch
from remote.protocol.errors import CallError
from remote.session.session import Session
from tests.remote.calling import call


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    root = tmp_path / "exp"
    for name in (
        "a/train.log",
        "b/train.log",
        "b/old.log",
        "b/.hidden.log",
        "c/deep/er/train.log",
        "out/x.csv",
    ):
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text("step=1 loss=2\n")
    os.utime(root / "b/train.log", (1_000_000_000, 1_000_000_000))
    return root


def found(session: Session, *patterns: str, inside: tuple[str, ...] = ()) -> dict[str, Any]:
    return call(session, "files", {"patterns": list(patterns), "inside": list(inside)})


def paths(answer: dict[str, Any], root: Path) -> list[str]:
    return [str(Path(row["path"]).relative_to(root)) for row in answer["files"]]


def test_patterns_find_plain_files_the_newest_first(session: Session, tree: Path) -> None:
    answer = found(session, f"{tree}/*/train.log")
    assert paths(answer, tree) == ["a/train.log", "b/train.log"]
    assert [row["bytes"] for row in answer["files"]] == [14, 14]
    assert answer["files"][1]["at"] == 1_000_000_000
    assert paths(found(session, f"{tree}/**/train.log"), tree)[-1] == "b/train.log"
    assert len(found(session, f"{tree}/**/train.log")["files"]) == 3
    assert paths(found(session, f"{tree}/b/*.log"), tree) == ["b/old.log", "b/train.log"]  # no hidden ones
    assert found(session, f"{tree}/none/*.log", f"{tree}/none")["files"] == []


def test_a_folder_tells_the_files_that_count_and_nothing_else(session: Session, tree: Path) -> None:
    answer = found(session, f"{tree}", f"{tree}/a/train.log", inside=("*.csv", "train.log"))
    by_path = {str(Path(row["path"]).relative_to(tree)): row for row in answer["files"]}
    assert set(by_path) == {"a/train.log", "b/train.log", "c/deep/er/train.log", "out/x.csv"}
    assert {row.get("folder") for row in by_path.values()} == {str(tree)}
    assert found(session, f"{tree}")["troubles"] == [f"{tree} is a folder: only plain files are read"]


def test_what_is_no_plain_file_is_named_and_never_opened(session: Session, tree: Path) -> None:
    os.mkfifo(tree / "pipe")
    (tree / "link").symlink_to(tree / "a/train.log")
    (tree / "loop").symlink_to(tree / "loop")
    (tree / "ill\x1b[2J.log").write_text("x\n")
    with tempfile.TemporaryDirectory() as short, socket.socket(socket.AF_UNIX) as door:
        door.bind(f"{short}/s")
        answer = found(session, f"{tree}/*", "/dev/null", f"{short}/s")
    assert paths(answer, tree) == ["link"]
    said = " | ".join(answer["troubles"])
    assert f"{tree}/pipe is a FIFO: only plain files are read" in said
    assert "/dev/null is a device" in said
    assert "/s is a socket" in said
    assert "loop cannot be looked at" in said
    assert "no terminal shows" in said
    assert "\x1b" not in said
    with pytest.raises(CallError, match="not a plain file"):
        call(session, "watch", {"path": f"{tree}/pipe", "follow": False})


def test_a_relative_pattern_is_refused(session: Session) -> None:
    with pytest.raises(CallError, match="no absolute path") as caught:
        found(session, "train.log")
    assert caught.value.remedy == "begin it with / or ~/"


def test_a_search_ends_where_there_is_more_than_it_may_look_at(tmp_path: Path) -> None:
    for number in range(50):
        (tmp_path / f"{number}.log").touch()
    few, all_of_them = PathSearch(names_max=10), PathSearch()
    assert len(list(few.matches(f"{tmp_path}/*.log"))) == 10
    assert few.is_cut
    assert len(list(all_of_them.matches(f"{tmp_path}/*.log"))) == 50
    assert not all_of_them.is_cut


def test_links_to_folders_lead_no_search_in_a_circle(tmp_path: Path) -> None:
    (tmp_path / "a").mkdir()
    (tmp_path / "a" / "x.log").touch()
    (tmp_path / "a" / "again").symlink_to(tmp_path)
    assert list(PathSearch().matches(f"{tmp_path}/**/x.log")) == [f"{tmp_path}/a/x.log"]
    assert list(PathSearch().inside(str(tmp_path), ["x.log"])) == [f"{tmp_path}/a/x.log"]
    assert stat.S_ISLNK((tmp_path / "a" / "again").lstat().st_mode)
