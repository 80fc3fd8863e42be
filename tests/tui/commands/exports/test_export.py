"""`export`: runs of a host, files of anybody, what was pulled; each whole or not at all."""

import csv
import json
import sys
from pathlib import Path

import pytest

from tests.tui.commands.conftest import Photinus, Said
from trainer.run.checkpoints.manifest import seal
from tui.commands.output import FAILURE, REFUSED, USAGE

PROGRAM = """
print("step 0: train loss 4.2, val loss 4.3")
for n in range(5):
    print(f"iter {10 * n}: loss {3 - n / 10:.4f}, time 10.00ms, mfu 1.00%")
"""
LOG = "".join(f"iter {10 * n}: loss 2.5000, time 10.00ms, mfu 1.00%\n" for n in range(4))


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    (folder := tmp_path / "here").mkdir()
    monkeypatch.chdir(folder)
    return folder


@pytest.fixture
def log(tmp_path: Path) -> Path:
    path = tmp_path / "exp" / "train.log"
    path.parent.mkdir()
    path.write_text(LOG)
    return path


def losses(path: Path) -> list[str]:
    return [row["loss"] for row in csv.DictReader(path.open()) if row["kind"] == "train"]


def test_a_run_of_a_host_is_written_with_what_its_host_says_of_it(here: Path, photinus: Photinus) -> None:
    words = (
        "--name",
        "nano",
        "--env",
        "TOKEN_OF_MINE=hidden",
        "--wait",
        "terminal",
        "--json",
        "--command",
        "--",
    )
    run = photinus("start", *words, sys.executable, "-I", "-S", "-c", PROGRAM)
    assert run.code == 0, run.err
    run_id, folder = run.json["run_id"], run.json["dir"]
    said = photinus("export", run_id, "--to", "csv", "--json")
    assert said.code == 0, said.err
    (one,) = said.json
    assert (one["path"], one["rows"]) == (str(here / f"{run_id}.csv"), 6)
    assert losses(here / f"{run_id}.csv") == ["3.0", "2.9", "2.8", "2.7", "2.6"]
    assert photinus("export", "local:nano", folder, "--to", "html", "--out", "pages").code == 0
    assert sorted(path.name for path in (here / "pages").iterdir()) == [f"{run_id}-2.html", f"{run_id}.html"]
    page = (here / "pages" / f"{run_id}.html").read_text()
    for held in ("succeeded", "nanoGPT", run_id, "TOKEN_OF_MINE", "local"):
        assert held in page, held
    assert "hidden" not in page


def test_nothing_is_overwritten_unless_it_is_asked_for(here: Path, log: Path, photinus: Photinus) -> None:
    (here / "train.csv").write_text("mine")
    said = photinus("export", str(log), "--to", "csv")
    assert said.code == REFUSED
    assert "is there already" in said.err
    assert "--force replaces it" in said.err
    assert (here / "train.csv").read_text() == "mine"
    assert photinus("export", str(log), "--to", "csv", "--force").code == 0
    assert losses(here / "train.csv") == ["2.5"] * 4
    assert [path.name for path in here.iterdir()] == ["train.csv"]  # no draft is left


def test_files_of_anybody_are_written_by_path_pattern_and_into_a_pipe(
    here: Path, log: Path, photinus: Photinus
) -> None:
    (log.parent / "other.jsonl").write_text('{"step": 1, "loss": 2.0}\n{"step": 2, "loss": 1.0}\n')
    said = photinus("export", f"{log.parent}/*", "--to", "jsonl", "--out", "all/")
    assert said.code == 0, said.err
    assert sorted(path.name for path in (here / "all").iterdir()) == ["other.jsonl", "train.jsonl"]
    again = photinus("read", "--json", str(here / "all" / "train.jsonl"))
    assert again.out == (here / "all" / "train.jsonl").read_text()
    piped = photinus("export", str(log), "--to", "svg", "--out", "-")
    assert piped.out.startswith("<svg ")
    assert piped.out.endswith("</svg>\n")


def test_of_several_runs_one_that_is_not_there_costs_itself(
    here: Path, log: Path, photinus: Photinus
) -> None:
    said = photinus("export", str(log), str(here / "none.log"), "--to", "csv")
    assert said.code == FAILURE
    assert losses(here / "train.csv") == ["2.5"] * 4
    assert "none.log" in said.err


@pytest.mark.parametrize("to", ["csv", "html", "jsonl"])
def test_what_tells_no_number_is_not_written(here: Path, log: Path, photinus: Photinus, to: str) -> None:
    """The control is the log beside it, which does."""
    (log.parent / "words.log").write_text("once upon a time\n" * 9)
    said = photinus("export", str(log.parent / "words.log"), str(log), "--to", to)
    assert said.code == FAILURE
    assert "words.log: no known metrics, so nothing was written" in said.err
    assert [path.name for path in here.iterdir()] == [f"train.{to}"]


def test_a_run_that_was_pulled_here_is_written_by_its_checkpoints(here: Path, photinus: Photinus) -> None:
    for step in (100, 200):
        folder = here / "demo-abcdef" / f"step-{step:08d}"
        folder.mkdir(parents=True)
        manifest = {"step": step, "metrics": {"val_ce": 300 / step}, "files": {}}
        (folder / "state.json").write_text(json.dumps(seal(manifest)))
    assert photinus("export", "demo-abcdef", "--to", "csv", "--out", "scores.csv").code == 0
    rows = list(csv.DictReader((here / "scores.csv").open()))
    assert [(row["step"], row["kind"], row["val_ce"]) for row in rows] == [
        ("100", "eval", "3.0"), ("200", "eval", "1.5"),
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("words", "code", "told"),
    [
        (("--to", "trackio", "--out", "-"), USAGE, "--out FOLDER"),
        (("--to", "excel"), USAGE, "invalid choice"),
        (("--to", "tensorboard", "--out", "-"), USAGE, "--out FOLDER"),
    ],
)
def test_what_cannot_be_written_is_refused_with_what_can(
    here: Path, log: Path, photinus: Photinus, words: tuple[str, ...], code: int, told: str
) -> None:
    said: Said = photinus("export", str(log), *words)
    assert said.code == code
    assert told in said.err
    assert list(here.iterdir()) == []
