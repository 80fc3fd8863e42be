"""What a later attempt superseded stays for a week, and goes with a word."""

import os
import time
from pathlib import Path

import pytest

from tests.trainer.loop.tiny import events, run
from trainer.checkpoints.retain import TRASH_DAYS, empty_trash
from trainer.run.layout import RunDir


def test_old_trash_is_emptied_by_the_next_attempt_which_says_so(tmp_path: Path, text: Path) -> None:
    out = tmp_path / "run"
    run(out, text, sets=["steps=2", "optim.horizon=6"])
    week, now = TRASH_DAYS * 86400, time.time()
    entries = {"attempt-001-a": now - week - 60, "attempt-002-b": now - week + 3600, "mine": 0.0}
    for name, moved in entries.items():
        (out / "trash" / name / "step-00000009").mkdir(parents=True)
        os.utime(out / "trash" / name, (moved, moved))
    assert run(out, text, "--resume", sets=["steps=9", "device=cuda:99"]) == 3
    assert len(list((out / "trash").iterdir())) == 3, "a refused attempt removes nothing"
    assert run(out, text, "--resume", sets=["steps=4", "optim.horizon=6"]) == 0
    assert sorted(path.name for path in (out / "trash").iterdir()) == ["attempt-002-b", "mine"]
    [note] = [row for row in events(out, "note") if "removed from the run's trash" in row["message"]]
    assert "attempt-001-a" in note["message"]


def test_age_of_trash_is_told_by_the_clock_and_a_link_is_left_alone(tmp_path: Path) -> None:
    kept = tmp_path / "kept"
    (tmp_path / "trash" / "attempt-001-a").mkdir(parents=True)
    kept.mkdir()
    (tmp_path / "trash" / "attempt-002-b").symlink_to(kept)
    week, folder = TRASH_DAYS * 86400, RunDir(tmp_path)
    assert empty_trash(folder, pytest.fail, time.time() + week - 60) == []
    assert empty_trash(folder, pytest.fail, time.time() + week + 60) == ["attempt-001-a"]
    assert kept.is_dir()


def test_trash_that_cannot_be_removed_is_told_and_ends_no_run(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "trash" / "attempt-001-a").mkdir(parents=True)

    def refuse(path: Path) -> None:
        raise PermissionError(13, "Permission denied", str(path))

    monkeypatch.setattr("trainer.checkpoints.retain.shutil.rmtree", refuse)
    said: list[str] = []
    assert empty_trash(RunDir(tmp_path), said.append, time.time() + 1e7) == []
    assert "remove it by hand" in said[0]
