"""What `--on-end` names is called once, when all is over, and is no process of the run."""

import json
import sys
from pathlib import Path
from typing import Any

import pytest

from remote.supervisor.process.end_command import call_end_command
from tests.remote.supervisor.stage import (
    Stage,
    environment,
    is_gone,
    kill_nine,
    trainer_pid,
    until,
    until_over,
)
from tests.waiting import wait_until
from trainer.run.layout import RunDir
from trainer.run.locks import Flock
from trainer.run.records import read_spec, read_state
from trainer.run.run_errors import SpecError
from trainer.run.spec import Restart, RunSpec
from trainer.run.states import State

NOTE = """
import json, os, sys
row = {key: value for key, value in os.environ.items() if key.startswith("PHOTINUS_") or key == "ASKED"}
with open(sys.argv[1], "a") as file:
    file.write(json.dumps(row) + "\\n")
print("noted with --api-key=sk-verysecret")
"""


def noting(path: Path) -> tuple[str, ...]:
    return (sys.executable, "-S", "-c", NOTE, str(path))


def notes(path: Path) -> list[dict[str, str]]:
    return [json.loads(line) for line in path.read_text().splitlines()] if path.exists() else []


def supervisor_log(run: RunDir) -> str:
    return run.supervisor_log.read_text()


def ended(stage: Stage, run: RunDir) -> Any:
    """Carry the run out, to the end of its supervisor."""
    pid = stage.begin(run)
    over = until_over(run)
    wait_until(lambda: is_gone(pid), 20.0, "the supervisor to leave")
    return over


def test_it_is_called_once_after_the_last_attempt_with_what_became_of_the_run(
    stage: Stage, tmp_path: Path
) -> None:
    path = tmp_path / "notes"
    run = stage.python(
        "raise SystemExit(7)",
        on_end=noting(path),
        env={"ASKED": "yes"},
        cwd=str(tmp_path),
        restart=Restart("on-failure", 1, 0.01),
        resume_argv=(sys.executable, "-S", "-c", "raise SystemExit(7)"),
    )
    over = ended(stage, run)
    (row,) = notes(path)
    assert row["PHOTINUS_ENDED_STATE"] == str(over.state) == "failed"
    assert (row["PHOTINUS_ENDED_CODE"], row["ASKED"]) == ("7", "yes")
    assert (row["PHOTINUS_ENDED_RUN"], row["PHOTINUS_ENDED_FOLDER"]) == (run.run_id, str(run.path))
    assert row["PHOTINUS_ENDED_REASON"] == over.reason
    assert not {"PHOTINUS_RUN_TOKEN", "PHOTINUS_RUN_DIR", "PHOTINUS_ATTEMPT"} & set(row)
    assert "the command for the end ended with 0; it said: noted with --api-key=" in supervisor_log(run)
    assert "sk-verysecret" not in supervisor_log(run)


def test_it_is_called_when_all_is_let_go_and_nothing_waits_for_it(stage: Stage, tmp_path: Path) -> None:
    """The same device and the same run can be taken while it runs."""
    gate = tmp_path / "gate"
    waits = f"import os, time\nwhile not os.path.exists({str(gate)!r}): time.sleep(0.01)"
    run = stage.python("pass", on_end=(sys.executable, "-S", "-c", waits))
    pid = stage.begin(run)
    until_over(run)
    assert not is_gone(pid)
    with Flock(run.lock) as lock:
        assert lock.take()
    assert stage.contact(run).state is State.SUCCEEDED
    gate.touch()
    wait_until(lambda: is_gone(pid), 20.0, "the supervisor to leave")


@pytest.mark.parametrize("program", ["/no/such/program", sys.executable])
def test_what_goes_wrong_in_it_costs_the_run_nothing(stage: Stage, program: str) -> None:
    run = stage.python("pass", on_end=(program, "-S", "-c", "raise SystemExit('no webhook today')"))
    assert ended(stage, run).state is State.SUCCEEDED
    why = "could not be started" if program.startswith("/no") else "ended with 1; it said: no webhook today"
    assert f"the command for the end {why}" in supervisor_log(run)


def test_one_that_never_ends_is_ended_with_what_it_started(
    stage: Stage, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PHOTINUS_PATIENCE", environment(on_end_s=0.3)["PHOTINUS_PATIENCE"])
    child = tmp_path / "child"
    deaf = (
        "import os, signal, time\nsignal.signal(signal.SIGTERM, signal.SIG_IGN)\n"
        f"open({str(child)!r}, 'w').write(str(os.fork()))\nprint('at it', flush=True)\ntime.sleep(600)"
    )
    run = stage.python("pass", on_end=(sys.executable, "-S", "-c", deaf))
    assert ended(stage, run).state is State.SUCCEEDED
    assert "was ended after 0.3 s" in supervisor_log(run)
    wait_until(lambda: is_gone(int(child.read_text())), 10.0, "its child to be gone")


def test_a_run_that_lost_its_supervisor_is_ended_by_the_one_that_adopts_it(
    stage: Stage, tmp_path: Path
) -> None:
    path = tmp_path / "notes"
    run = stage.python("import signal; signal.pause()", on_end=noting(path))
    supervisor = stage.begin(run)
    until(run, State.RUNNING)
    kill_nine(supervisor)
    stage.contact(run)
    kill_nine(trainer_pid(run))
    until_over(run)
    wait_until(lambda: notes(path), 20.0, "the note")
    assert len(notes(path)) == 1


def test_a_stored_one_comes_back_and_a_run_without_one_is_as_an_older_host_knows_it(stage: Stage) -> None:
    run = stage.python("pass", on_end=("true", "a b"))
    assert read_spec(run).on_end == ("true", "a b")
    plain = stage.python("pass")
    assert "on_end" not in read_spec(plain).to_json()
    state = read_state(plain)
    assert state is None
    call_end_command(read_spec(plain), plain, None, 1.0, pytest.fail)  # type: ignore[arg-type]
    with pytest.raises(SpecError, match="on_end"):
        RunSpec.from_json({**read_spec(run).to_json(), "on_end": "true"})
