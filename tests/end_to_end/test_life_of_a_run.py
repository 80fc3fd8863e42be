"""Start, watch, stop and resume, as a person does it: the real command line, real processes."""

import json
import sys
from pathlib import Path

from tests.end_to_end.conftest import Operator
from trainer.run.checkpoints.manifest import verify
from trainer.run.locks import is_free


def test_a_run_starts_shows_its_lamps_and_stops_with_a_checkpoint_proven_on_disk(
    operator: Operator, corpus: Path
) -> None:
    run_id = operator.start_tiny(corpus, "log.every=1", words=("--wait", "running"))["run_id"]
    operator.wait_for_event(run_id, "metrics", step=3)
    listed = operator.do("ls")
    assert [(run["run_id"], run["state"], run["host"]) for run in listed] == [(run_id, "running", "local")]
    assert listed[0]["step"] >= 3
    shown = operator.show(run_id)
    assert {"ce", "reg", "R", "u_val", "u_low", "u_high", "grad_norm", "tokens_per_s"} <= set(
        shown["metrics"]
    )
    assert {"u_val", "R", "grad_norm", "ce"} <= set(shown["health"])
    assert shown["pid"] == operator.process(run_id)["trainer"]["pid"]

    stopped = operator.do("stop", run_id)
    assert stopped["state"] == "stopped"
    last = operator.show(run_id)["last_checkpoint"]
    steps_seen = [event["step"] for event in operator.events(run_id) if event["type"] == "metrics"]
    assert last["step"] >= max(steps_seen)
    verify(operator.run_dir(run_id) / last["path"])
    assert is_free(operator.run_dir(run_id) / "lock")


def test_a_resume_goes_on_from_the_checkpoint_to_the_planned_end_and_not_beyond(
    operator: Operator, corpus: Path
) -> None:
    slow = ("log.every=1", "eval.every=1", "eval.tokens=4000")
    run_id = operator.start_tiny(corpus, *slow, steps=24, words=("--wait", "running"))["run_id"]
    operator.wait_for_event(run_id, "metrics", step=2)
    operator.do("stop", run_id)
    stopped_at = operator.show(run_id)["last_checkpoint"]["step"]
    resumed = operator.do("resume", run_id, "--wait", "terminal")
    assert (resumed["state"], resumed["attempt"]) == ("succeeded", 2)
    second = [e["step"] for e in operator.events(run_id) if e["type"] == "metrics" and e["attempt"] == 2]
    assert second == list(range(stopped_at + 1, 25))
    refused = operator("resume", run_id, "--json")
    assert refused.code == 3
    assert "24" in refused.err
    assert operator.state(run_id) == "succeeded"


def test_a_users_script_that_prints_the_kssm_table_shows_the_same_lamps(
    operator: Operator, tmp_path: Path
) -> None:
    script = tmp_path / "train.py"
    row = "{step:6d} | {3.5:7.3f} | {2.9:7.3f} | {0.65:7.4f} | {0.3233:.4f} | {0.102:7.3f} | {1.334:8.3f}"
    script.write_text(
        "print('  Step |   Total |      CE |     Reg |       R |   u_val | GradNorm')\n"
        "print('-' * 80)\n"
        "for step in range(20, 120, 20):\n"
        "    print(f'" + row + "', flush=True)\n"
    )
    run_id = operator.start_script(script, "--wait", "terminal")["run_id"]
    shown = operator.show(run_id)
    assert shown["state"] == "succeeded"
    assert shown["step"] == 100
    assert "clamped" in json.dumps(shown["health"]["u_val"])
    assert "Balance" in json.dumps(shown["health"]["R"])


def test_a_failing_script_is_failed_with_its_code_and_its_last_words(
    operator: Operator, tmp_path: Path
) -> None:
    script = tmp_path / "train.py"
    script.write_text("import sys\nprint('no data today')\nsys.exit(7)\n")
    answer = operator(
        "start", "--json", "--shared", "--wait", "terminal", "--command", "--", sys.executable, str(script)
    )
    assert answer.code == 1
    shown = operator.show(answer.json["run_id"])
    assert (shown["state"], shown["code"]) == ("failed", 7)
    assert "no data today" in operator("tail", answer.json["run_id"]).out
