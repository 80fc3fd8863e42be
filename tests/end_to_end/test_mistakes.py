"""What people get wrong on the command line: a sentence, a remedy, the right exit code, never a traceback."""

from pathlib import Path

import pytest

from tests.end_to_end.conftest import Operator

MISTAKES = {
    "an unknown preset": (("start", "--preset", "kssm-v3-tinny"), 2, "kssm-v3-tiny"),
    "a misspelt key": (("start", "--preset", "kssm-v3-tiny", "--set", "stepz=5"), 2, "steps"),
    "no such data": (("start", "--preset", "kssm-v3-tiny", "--data", "/nope"), 2, "/nope"),
    "no program": (("start", "--command"), 2, "-- PROGRAM"),
    "an open quote": (("start", "--resume-command", "a 'b", "--command", "--", "true"), 2, "resume-command"),
    "an empty start id": (("start", "--start-id", "", "--command", "--", "true"), 2, "start_id"),
    "no such folder": (("start", "--cwd", "/nope", "--command", "--", "true"), 3, "/nope"),
    "no such program": (("start", "--command", "--", "no-such-program"), 3, "no-such-program"),
    "no such device": (("start", "--device", "cuda-99", "--command", "--", "true"), 3, "it has cpu"),
    "no such run": (("show", "nobody"), 6, "photinus ls"),
    "an empty name": (("kill", ""), 2, "empty"),
    "no such host": (("ls", "--host", "mars"), 6, "local"),
    "no such log": (("read", "/nope.log"), 6, "/nope.log"),
    "a folder for a log": (("read", "/"), 1, "directory"),
    "a folder of secrets": (("start", "--env-file", "/", "--command", "--", "true"), 1, "directory"),
}


@pytest.mark.parametrize("mistake", MISTAKES)
def test_a_mistake_is_told_with_its_remedy_and_starts_nothing(operator: Operator, mistake: str) -> None:
    words, code, told = MISTAKES[mistake]
    answer = operator(*words)
    assert (answer.code, answer.out) == (code, "")
    assert told in answer.err
    assert "Traceback" not in answer.err
    assert not list(Path(operator.home / "runs").glob("*"))


def test_a_kill_that_worked_is_no_failure(operator: Operator, tmp_path: Path) -> None:
    script = tmp_path / "train.py"
    script.write_text("import signal\nsignal.pause()\n")
    run_id = operator.start_script(script, "--wait", "running")["run_id"]
    answer = operator("kill", run_id)
    assert (answer.code, answer.err) == (0, "")
    assert "killed by operator" in answer.out
