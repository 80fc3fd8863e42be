"""A graceful stop finds a run in every phase of its life; a canary that looks just like it survives."""

import subprocess
import sys
from pathlib import Path

import pytest

from tests.end_to_end.conftest import Operator
from tests.trials import trials
from trainer.run.checkpoints.manifest import verify
from trainer.run.locks import is_free

BUSY_WITH = {
    "tokenising": ("data.tokenizer=bpe", "data.vocab=2000"),
    "evaluating": ("eval.every=1", "eval.tokens=20000"),
    "training": ("eval.every=0", "checkpoint.every=0"),
    "saving": ("checkpoint.every=1", "eval.every=0"),
}


@pytest.mark.chaos
@pytest.mark.parametrize("trial", range(trials(0, 5)))
@pytest.mark.parametrize("phase", list(BUSY_WITH))
def test_a_stop_leaves_a_verified_checkpoint_a_stopped_run_and_a_free_lock(
    operator: Operator, corpus: Path, phase: str, trial: int
) -> None:
    run_id = operator.start_tiny(corpus, "log.every=1", *BUSY_WITH[phase])["run_id"]
    operator.wait_for_event(run_id, "state", phase=phase)
    stopped = operator.do("stop", run_id)
    assert stopped["state"] == "stopped"
    assert is_free(operator.run_dir(run_id) / "lock")
    assert is_free(operator.run_dir(run_id) / "trainer.lock")
    finished = max(
        (event["step"] for event in operator.events(run_id) if event["type"] == "metrics"), default=0
    )
    saved = stopped["last_checkpoint"]
    assert (saved["step"] if saved else 0) >= finished
    if saved:
        assert verify(operator.run_dir(run_id) / saved["path"]).step == saved["step"]


@pytest.mark.parametrize("act", ["stop", "kill"])
def test_a_canary_with_the_same_command_line_in_the_same_folder_survives(
    operator: Operator, tmp_path: Path, act: str
) -> None:
    script = tmp_path / "train.py"
    script.write_text("import signal\nprint('ready', flush=True)\nsignal.pause()\n")
    argv = [sys.executable, str(script)]
    with subprocess.Popen(argv, cwd=tmp_path, stdout=subprocess.PIPE) as canary:
        try:
            assert canary.stdout is not None
            assert canary.stdout.readline() == b"ready\n"
            run_id = operator.start_script(script, "--wait", "running", "--cwd", str(tmp_path))["run_id"]
            pid = operator.process(run_id)["trainer"]["pid"]
            assert _argv(pid) == _argv(canary.pid)
            operator.do(act, run_id)
            assert not Path(f"/proc/{pid}").exists()
            assert canary.poll() is None
        finally:
            canary.kill()


def _argv(pid: int) -> bytes:
    return Path(f"/proc/{pid}/cmdline").read_bytes()
