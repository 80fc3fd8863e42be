"""A command's environment: what is kept with the run, what its attempt alone gets, and what is told of it."""

import json
import os
import sys
from pathlib import Path

import pytest

from remote.actions import StartRequest, resume_run, start_run
from remote.actions.inherited import inherited
from remote.session.session import Session
from tests.remote.driving import ended
from tests.waiting import wait_until
from tui.cli import main

CANARY = "canary-52b8"


@pytest.mark.parametrize(
    ("name", "value", "is_kept"),
    [
        ("PATH", "/usr/bin", True),
        ("CUDA_VISIBLE_DEVICES", "0,1", True),
        ("LC_ALL", "C.UTF-8", True),
        ("CONDA_PREFIX", "/opt/conda", True),
        ("HF_HOME", "/cache", True),
        ("https_proxy", "http://proxy:3128", True),
        ("https_proxy", f"http://ada:{CANARY}@proxy:3128", False),
        ("HF_TOKEN", CANARY, False),
        ("WANDB_API_KEY", CANARY, False),
        ("AWS_SECRET_ACCESS_KEY", CANARY, False),
        ("GITHUB_PAT", CANARY, False),
        ("MY_SETTING", "seven", False),
        ("PYTHONPATH", "ghp_abcdefghijklmnopqrst", False),
    ],
)
def test_what_is_kept_stands_in_a_list_and_looks_like_no_secret(name: str, value: str, is_kept: bool) -> None:
    sorted_out = inherited({name: value})
    assert (name in sorted_out.kept, name in sorted_out.passing) == (is_kept, not is_kept)
    assert value not in sorted_out.sentence
    assert (name in sorted_out.sentence) == (not is_kept)


def test_a_secret_of_the_shell_reaches_its_attempt_and_no_file(
    home: Path, session: Session, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CLOUD_SECRET_KEY", CANARY)
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "7")
    out = tmp_path / "out"
    code = f"import os; open({str(out)!r}, 'a').write(os.environ.get('CLOUD_SECRET_KEY', 'none') + '\\n')"
    words = (sys.executable, "-I", "-S", "-c", code)
    asked = StartRequest(name="mine", kind="command", argv=words, resume_argv=words)
    run = start_run(session, asked).run
    assert run is not None
    ended(session, run.run_id)
    assert out.read_text() == f"{CANARY}\n"
    spec = json.loads((home / "runs" / run.run_id / "spec.json").read_bytes())
    assert spec["env"]["CUDA_VISIBLE_DEVICES"] == "7", "the control: what is needed is kept"
    files = [Path(folder) / name for folder, _, names in os.walk(home) for name in names]
    assert [path for path in files if CANARY.encode() in path.read_bytes()] == []
    monkeypatch.delenv("CLOUD_SECRET_KEY")
    assert resume_run(session, run.run_id).ok
    wait_until(lambda: out.read_text().count("\n") == 2, 20.0, "the second attempt")
    assert out.read_text() == f"{CANARY}\nnone\n"


def test_a_start_says_what_it_stored(
    home: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("AAA_SETTING", CANARY)
    assert main(["start", "--shared", "--command", "--", sys.executable, "-I", "-S", "-c", ""]) == 0
    told = capsys.readouterr().err
    assert "stored with the run" in told
    assert "AAA_SETTING" in told
    assert CANARY not in told
