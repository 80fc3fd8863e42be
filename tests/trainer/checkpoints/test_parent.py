"""A run that begins from another run's checkpoint: on the same host, or brought there by a push."""

import json
import shutil
from pathlib import Path

import pytest

from tests.trainer.loop import tiny
from trainer import cli
from trainer.config.resolve import resolve
from trainer.run.checkpoints.manifest import MANIFEST, list_checkpoints
from trainer.run.layout import RunDir
from trainer.run.records import read_exit, write_spec
from trainer.run.spec import RunSpec

PARENT = "old-abcdef/step-00000004"


@pytest.fixture(scope="module")
def old(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    """The checkpoint of a run that did four steps, and its text."""
    folder = tmp_path_factory.mktemp("old")
    text = tiny.write_text(folder / "text.txt")
    assert tiny.run(folder / "old-abcdef", text, sets=["steps=4"]) == 0
    return folder / "old-abcdef" / "checkpoints" / "step-00000004", text


@pytest.fixture
def root(tmp_path: Path, old: tuple[Path, Path]) -> Path:
    """A state root with that checkpoint as a seed."""
    shutil.copytree(old[0], tmp_path / "seeds" / PARENT.replace("/", "/checkpoints/"))
    return tmp_path


def branch(root: Path, text: Path, *sets: str, parent: str = PARENT) -> tuple[int, RunDir]:
    """Run a run whose spec names a parent, as a supervisor has it run; its exit code."""
    resolved = resolve("kssm-v3-tiny", overrides=[*tiny.TINY, *sets], data=str(text))
    run = RunDir(root / "runs" / "new-abcdef").create()
    write_spec(
        run,
        RunSpec(
            run_id="new-abcdef", name="new", kind="trainer", device="cpu", parent=parent,
            preset="kssm-v3-tiny", config=resolved.values(), origins=resolved.origins,
        ),
    )  # fmt: skip
    with tiny.signals_restored():
        return cli.main(["run", "--spec", str(run.path)]), run


def test_it_goes_on_from_the_seed_and_names_it_as_its_parent(root: Path, old: tuple[Path, Path]) -> None:
    code, run = branch(root, old[1], "steps=6")
    assert code == 0
    (first,) = list_checkpoints(run.checkpoints)
    assert first.step == 6
    assert json.loads((first.path / MANIFEST).read_text())["parent"] == PARENT
    last = read_exit(run, 1, "")
    assert last is not None
    assert (last.outcome, last.steps_done) == ("succeeded", 2)


def test_a_seed_that_is_gone_or_damaged_is_an_error_and_no_fresh_start(
    root: Path, old: tuple[Path, Path]
) -> None:
    with (root / "seeds" / "old-abcdef" / "checkpoints" / "step-00000004" / "model.safetensors").open(
        "r+b"
    ) as file:
        file.write(b"x")
    code, run = branch(root, old[1], "steps=6")
    assert code == 1
    assert list_checkpoints(run.checkpoints) == []
    shutil.rmtree(root / "seeds")
    code, run = branch(root / "again", old[1], "steps=6")
    assert code == 1
    assert list_checkpoints(run.checkpoints) == []


def test_another_configuration_is_refused_with_the_keys(root: Path, old: tuple[Path, Path]) -> None:
    code, run = branch(root, old[1], "steps=6", "seed=77")
    assert code == 3
    last = read_exit(run, 1, "")
    assert last is not None
    assert "seed: 1234 in the checkpoint, 77 now" in last.reason
