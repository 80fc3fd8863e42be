"""From which checkpoint a resume goes on: the latest, the best, or the one that is named."""

import math
from pathlib import Path
from types import SimpleNamespace
from typing import cast

import pytest

from tests.trainer.loop.tiny import run as train
from tests.trainer.run.checkpoints.test_manifest import make
from trainer.checkpoints.origin import demand_origin, find_origin
from trainer.run.checkpoints.manifest import list_checkpoints
from trainer.run.layout import RunDir
from trainer.run.run_errors import CheckpointError
from trainer.step.state import TrainState


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


def test_a_best_is_saved_only_where_it_is_so_much_better_than_the_best_saved() -> None:
    state = cast(TrainState, SimpleNamespace(metrics=None, best_kept=math.inf))

    def worth(kept: float, score: float, share: float) -> bool:
        state.best_kept, state.metrics = kept, {"val_ce": score}
        return TrainState.is_worth_keeping(state, share)

    assert worth(math.inf, 9.0, 0.5)  # the first of a lineage
    assert (worth(2.0, 1.99, 0.0), worth(2.0, 2.0, 0.0)) == (True, False)
    assert (worth(2.0, 1.98, 0.02), worth(2.0, 1.95, 0.02)) == (False, True)
    assert (worth(0.0, 0.0, 0.1), worth(-1.0, -1.2, 0.1)) == (False, True)  # no division


def test_the_gate_goes_on_with_a_resume_and_begins_anew_with_a_lineage(tmp_path: Path, text: Path) -> None:
    sets = ["eval.every=1", "checkpoint.every=0", "checkpoint.keep_last=20", "steps=4", "optim.horizon=8"]
    gate = [*sets, "checkpoint.min_improvement=1"]

    def saved(name: str) -> list[int]:
        return [info.step for info in list_checkpoints(tmp_path / name / "checkpoints")]

    assert train(tmp_path / "gated", text, sets=gate) == 0
    assert saved("gated") == [1, 4]  # the first score, and the end
    assert train(tmp_path / "gated", text, "--resume", sets=[*gate, "steps=8"]) == 0
    assert saved("gated") == [1, 4, 8]
    assert train(tmp_path / "free", text, sets=sets) == 0
    assert saved("free") == [1, 2, 3, 4]  # the control: without it, each better one
    assert train(tmp_path / "new", text, "--init-from", str(tmp_path / "free"), sets=gate) == 0
    assert saved("new")[0] == 1
