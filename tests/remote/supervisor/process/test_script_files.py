"""A command whose script was changed between two attempts says so."""

import os
import sys
from pathlib import Path

from remote.supervisor.process.script_files import FILES_MAX, SIZE_MAX, note_scripts
from tests.remote.supervisor.stage import Stage, ask, record_of, state_of, until, until_over
from trainer.run.layout import RunDir
from trainer.run.states import State


def test_another_text_is_told_of_the_attempt_that_runs_it(tmp_path: Path, stage: Stage) -> None:
    script = tmp_path / "loop.py"
    script.write_text("import time\ntime.sleep(60)\n")
    run = stage.command(sys.executable, "loop.py", cwd=str(tmp_path), resume_argv=(sys.executable, "loop.py"))
    for attempt, change in ((1, ""), (2, ""), (3, "# another\n"), (4, "")):
        script.write_text(script.read_text() + change)
        stage.begin(run, attempt=attempt)
        until(run, State.RUNNING)
        assert record_of(run).reason == ("loop.py changed since attempt 2" if attempt == 3 else "")
        ask(run, "kill", f"k{attempt}")
        until_over(run)
    assert state_of(run) is State.FAILED


def test_what_is_noted_is_small_and_plain_and_damage_says_nothing(tmp_path: Path) -> None:
    run = RunDir(tmp_path / "cmd-aaaaaa").create()
    (tmp_path / "a.py").write_text("1")
    (tmp_path / "big.bin").write_bytes(b"x" * (SIZE_MAX + 1))
    os.mkfifo(tmp_path / "fifo")
    many = [f"{n}.yaml" for n in range(2 * FILES_MAX)]
    for name in many:
        (tmp_path / name).write_text("a")
    argv = ["a.py", "big.bin", "fifo", "no\0file", "x" * 5000, *many]

    def note(attempt: int) -> str:
        return note_scripts(run, attempt, argv, str(tmp_path))

    assert note(1) == ""
    (tmp_path / "a.py").write_text("2")
    (tmp_path / "big.bin").write_bytes(b"y" * (SIZE_MAX + 1))
    assert note(2) == "a.py changed since attempt 1"
    for damage in ('{"attempt": "x", "files": 7}', "[]", "{", '{"attempt": 9, "files": {}}'):
        (run.path / "scripts.json").write_text(damage)
        (tmp_path / "a.py").write_text(damage)
        assert note(3) == "", damage
    (run.path / "scripts.json").unlink()
    os.mkfifo(run.path / "scripts.json")
    assert note(4) == ""
