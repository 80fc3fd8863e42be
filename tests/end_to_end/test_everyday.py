"""What one does with runs all day, by the real command line and the real trainer."""

from pathlib import Path

from tests.end_to_end.conftest import Operator
from trainer.run.checkpoints.manifest import list_checkpoints


def test_a_live_run_saves_on_request_is_cloned_waited_for_and_compared(
    operator: Operator, corpus: Path
) -> None:
    run_id = operator.start_tiny(corpus, "checkpoint.every=0")["run_id"]
    operator.wait_for_event(run_id, "metrics")
    saved = operator.do("save", run_id)
    assert saved["checkpoint"] == f"step-{saved['step']:08d}"
    assert (operator.run_dir(run_id) / "checkpoints" / saved["checkpoint"]).is_dir()
    assert operator.state(run_id) == "running"
    assert "SIGUSR1" in operator("signal", run_id, "USR1").err  # which would end our trainer
    shown = operator("clone", run_id, "--set", "steps=3", "--show", "--json")
    assert shown.json == {"run_id": None, "state": None, "diff": [{"key": "steps", "a": 100_000, "b": 3}]}
    assert "steps: 100000 -> 3" in shown.err
    used = operator.do("top")["runs"]
    assert [(row["run_id"], row["processes"] > 0) for row in used] == [(run_id, True)]
    operator.do("stop", run_id)
    newest = Path(
        operator.show(run_id)["last_checkpoint"]["path"]
    ).name  # that of `save` may be let go by now
    end = int(newest.removeprefix("step-")) + 2
    branch = operator.do(
        "checkpoints", run_id, "branch", newest, "--name", "further", "--set", f"steps={end}"
    )
    assert branch["parent"] == f"{run_id}/{newest}"
    assert operator.do("wait", branch["run_id"])["state"] == "succeeded"
    found = list_checkpoints(operator.run_dir(branch["run_id"]) / "checkpoints")
    kept = sorted(found, key=lambda one: one.step)
    assert kept[-1].step == end
    assert kept[0].manifest
    assert kept[0].manifest.parent == branch["parent"]
    tree = operator.do("checkpoints", branch["run_id"], "lineage")
    assert [(row["depth"], row["run_id"]) for row in tree["runs"]] == [(0, run_id), (1, branch["run_id"])]
    clone = operator.do("clone", run_id, "--set", "steps=3")
    assert clone["diff"] == [{"key": "steps", "a": 100_000, "b": 3}]
    assert operator.do("wait", clone["run_id"])["state"] == "succeeded"
    assert operator.do("diff", run_id, clone["run_id"]) == clone["diff"]
    whole = operator("tail", clone["run_id"], "--attempt", "1")
    assert (whole.code, "Training Finished." in whole.out) == (0, True)
    assert operator("tail", clone["run_id"], "--attempt", "2").code == 6
    assert operator("tail", clone["run_id"], "--since", "2031-01-01T00:00").code == 6
