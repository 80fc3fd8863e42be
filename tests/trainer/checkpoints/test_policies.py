"""From which checkpoint a resume goes on: the latest, the best, or the one that is named."""

from pathlib import Path

import pytest

from tests.trainer.run.checkpoints.test_manifest import make
from trainer.checkpoints.origin import demand_origin, find_origin
from trainer.run.layout import RunDir
from trainer.run.run_errors import CheckpointError


def test_latest_best_and_a_name_each_choose_another_one(tmp_path: Path) -> None:
    run = RunDir(tmp_path / "run").create()
    for step, ce in ((9, 2.0), (15, 1.0), (100, 3.0)):
        make(run.checkpoints, step, metrics={"val_ce": ce})
    chosen = {}
    for source in ("newest", "latest", "best", "step-00000009"):
        demand_origin(run, source)
        origin = find_origin(run, source, lambda _: None)
        assert origin is not None
        chosen[source] = origin.manifest.step
    assert chosen == {"newest": 100, "latest": 100, "best": 15, "step-00000009": 9}


def test_a_torn_best_is_passed_over_and_that_is_said(tmp_path: Path) -> None:
    run, told = RunDir(tmp_path / "run").create(), list[str]()
    for step, ce in ((9, 2.0), (15, 1.0)):
        make(run.checkpoints, step, metrics={"val_ce": ce})
    (run.checkpoints / "step-00000015" / "model.safetensors").write_bytes(b"")
    origin = find_origin(run, "best", told.append)
    assert origin is not None
    assert origin.manifest.step == 9
    assert "it is torn" in told[0]


def test_best_of_what_was_never_scored_is_refused_and_not_a_new_beginning(tmp_path: Path) -> None:
    run = RunDir(tmp_path / "run").create()
    make(run.checkpoints, 9)
    with pytest.raises(CheckpointError, match="no checkpoint was scored"):
        find_origin(run, "best", lambda _: None)
