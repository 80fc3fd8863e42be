"""A resume that changes something: more steps, another learning rate, a text that was moved."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from remote.agent.context import Context
from remote.agent.starts.resume import resume
from remote.protocol.arguments import ResumeArgs
from remote.protocol.errors import CallError
from tests.remote.driving import drive
from tests.remote.supervisor.stage import Stage, environment, until_over
from trainer.config.resolve import resolve
from trainer.run.changes import read_changes
from trainer.run.layout import RunDir, new_run_id
from trainer.run.records import read_changed_spec, read_spec
from trainer.run.run_errors import SpecError
from trainer.run.spec import RunSpec
from trainer.run.states import State


@pytest.fixture
def stage(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Stage]:
    for name, value in environment().items():
        monkeypatch.setenv(name, value)
    opened = Stage.open(tmp_path / "home")
    yield opened
    opened.close()


@pytest.fixture
def ended(stage: Stage, tmp_path: Path) -> RunDir:
    """A run of four steps that has done them."""
    text = tmp_path / "text.txt"
    text.write_text("to be or not to be")
    resolved = resolve("kssm-v3-tiny", overrides=["steps=4", f"data.source={text}", "device=cpu"])
    run = stage.store(
        RunSpec(
            run_id=new_run_id("four"),
            name="four",
            kind="trainer",
            device="cpu",
            config=resolved.values(),
            origins=resolved.origins,
        )
    )
    stage.begin(run)
    assert until_over(run).state is State.SUCCEEDED
    return run


def resumed(
    stage: Stage, run: RunDir, values: dict[str, Any] | None = None, start_id: str = "s2"
) -> dict[str, Any]:
    args = ResumeArgs(start_id=start_id, run_id=run.run_id, by="Ada", set_=values or {})
    return drive(resume(Context.of(stage.home), args))


def test_a_finished_run_is_given_more_steps_and_keeps_them(stage: Stage, ended: RunDir) -> None:
    before = ended.spec.read_bytes()
    with pytest.raises(CallError, match="zero steps") as caught:
        resumed(stage, ended)
    assert f"photinus resume {ended.run_id} --set steps=N" in caught.value.remedy
    resumed(stage, ended, {"steps": 9, "optim.lr": 0.0001})
    assert until_over(ended).state is State.SUCCEEDED
    assert json.loads(ended.exit.read_text())["step"] == 9
    assert ended.spec.read_bytes() == before
    spec = read_changed_spec(ended)
    assert (spec.max_steps, spec.config["optim"]["lr"], spec.origins["steps"]) == (9, 0.0001, "resume --set")
    (change,) = read_changes(ended)
    assert (change.attempt, change.by) == (2, "Ada")
    assert Context.of(stage.home).view(ended).max_steps == 9
    resumed(stage, ended, {"steps": 11}, "s3")  # and again, on top of it
    assert until_over(ended).state is State.SUCCEEDED
    assert read_changed_spec(ended).config["optim"]["lr"] == 0.0001


def test_a_text_that_was_moved_is_named_anew(stage: Stage, ended: RunDir, tmp_path: Path) -> None:
    moved = (tmp_path / "text.txt").rename(tmp_path / "elsewhere.txt")
    with pytest.raises(CallError, match=r"no .*nowhere"):
        resumed(stage, ended, {"steps": 9, "data.source": str(tmp_path / "nowhere.txt")})
    assert read_changes(ended) == []
    resumed(stage, ended, {"steps": 9, "data.source": str(moved)})
    assert until_over(ended).state is State.SUCCEEDED
    assert read_changed_spec(ended).config["data"]["source"] == str(moved)


@pytest.mark.parametrize(
    ("values", "said"),
    [
        ({"model.layers": 9}, "cannot change model.layers"),
        ({"device": "cuda:0"}, "cannot change device"),
        ({"steps": "many"}, "steps"),
        ({"nonsense": 1}, "cannot change nonsense"),
        ({"steps": [1]}, "the value of steps"),
        ({"../../etc": 1}, "not a configuration key"),
    ],
)
def test_what_no_resume_changes_is_refused_and_leaves_nothing(
    stage: Stage, ended: RunDir, values: dict[str, Any], said: str
) -> None:
    with pytest.raises((CallError, SpecError), match=said):
        resumed(stage, ended, values)
    assert not ended.changes.exists()


def test_a_command_has_no_configuration(stage: Stage) -> None:
    run = stage.command("true", resume_argv=("true",))
    stage.begin(run)
    until_over(run)
    with pytest.raises(CallError, match="has no configuration"):
        resumed(stage, run, {"steps": 9})
    assert resumed(stage, run, start_id="s3")["attempt"] == 2  # the control: nothing is asked of it
    until_over(run)


def test_damaged_changes_are_this_runs_trouble(stage: Stage, ended: RunDir) -> None:
    ended.changes.write_text('{"changes": [{"attempt": 2, "values": {"steps": null}}]}')
    with pytest.raises(SpecError, match=r"changes\.json|value of steps"):
        read_changed_spec(ended)
    assert read_spec(ended).max_steps == 4
