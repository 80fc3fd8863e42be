"""What a newcomer gets wrong: one sentence with its remedy, exit code 2 or 3, and nothing begun."""

import os
from pathlib import Path

import pytest

from tests.trainer.loop.tiny import last_word, run
from trainer.run import requirements


def test_text_that_is_none_is_told_with_what_to_give(
    tmp_path: Path, text: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    empty, binary, short = tmp_path / "empty.txt", tmp_path / "binary.txt", tmp_path / "short.txt"
    empty.touch()
    binary.write_bytes(os.urandom(20_000))
    short.write_text("Too little.")
    for path, words in (
        (empty, "is empty; give --data a text of at least 8 KiB"),
        (binary, "is not a text file: give .txt"),
        (short, "too little to train"),
    ):
        assert run(tmp_path / path.stem, path) == 2
        assert words in capsys.readouterr().err
    assert not (tmp_path / "empty").exists()
    assert last_word(tmp_path / "binary")["outcome"] == "failed"
    assert run(tmp_path / "whole", text, sets=["steps=1"]) == 0  # control


def test_a_folder_that_cannot_be_is_refused(
    tmp_path: Path, text: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    taken = tmp_path / "taken"
    taken.write_text("mine")
    for out in (taken, taken / "below"):
        assert run(out, text) == 2
        assert f"{taken} is a file; name a folder" in capsys.readouterr().err
    assert run(Path("/proc/nowhere"), text) == 2
    assert "name a folder that you can write to" in capsys.readouterr().err
    assert taken.read_text() == "mine"


def test_a_checkpoint_that_is_none_is_told_before_anything_begins(
    tmp_path: Path, text: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "run"
    assert run(out, text, sets=["steps=2"]) == 0
    for source, words in (
        (str(text), "is no checkpoint; name a step-NNNNNNNN folder"),
        (str(tmp_path / "gone"), "is not there"),
        ("step-00000099", "the newest is step-00000002"),
        (str(out), f"did you mean {out}/checkpoints/step-00000002?"),
        (str(out / "checkpoints"), f"did you mean {out}/checkpoints/step-00000002?"),
    ):
        assert run(tmp_path / "other" if "/" in source else out, text, "--from", source) == 2
        assert words in capsys.readouterr().err
    assert not (tmp_path / "other").exists()
    assert run(tmp_path / "branch", text, "--from", str(out / "checkpoints" / "step-00000002")) == 0


def test_a_device_that_is_not_there_is_refused_with_those_that_are(
    tmp_path: Path, text: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(tmp_path / "run", text, sets=["device=cuda:99"]) == 3
    said = capsys.readouterr().err
    assert "there is no device cuda:99 here; there is" in said
    assert "cpu (--set device=auto chooses)" in said


def test_a_torch_of_another_time_is_warned_of_and_used(
    tmp_path: Path, text: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(requirements, "TORCH_BELOW", (2, 12))
    assert run(tmp_path / "run", text, sets=["steps=1"]) == 0
    assert "warning: torch 2." in capsys.readouterr().out
