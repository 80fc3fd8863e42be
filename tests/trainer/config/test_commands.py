"""The command line before torch: what it prints, what it refuses, and that it does so early."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

from trainer import cli
from trainer.config.keys import keys

PROBE = """
import sys
from trainer.cli import main
code = main(sys.argv[1:])
heavy = [name for name in ("torch", "numpy", "safetensors", "textual", "psutil") if name in sys.modules]
print(code, heavy)
"""


@pytest.mark.parametrize(
    ("words", "code"),
    [
        (["config", "--preset", "kssm-v3-tiny"], 0),
        (["presets"], 0),
        (["run", "--preset", "kssm-v3-tiny", "--out", "nowhere", "--set", "optim.lrr=1"], 2),
        (["run", "--spec", "nowhere"], 2),
        (["run", "--preset", "kssm-v3-tiny", "--out", "nowhere", "--data", "/nosuch"], 2),
        (["run", "--preset", "kssm-v3-tiny", "--out", "nowhere", "--set", "data.source=/nosuch"], 2),
    ],
)
def test_nothing_heavy_is_imported_before_the_configuration_is_judged(
    tmp_path: Path, words: list[str], code: int
) -> None:
    argv = [sys.executable, "-c", PROBE, *words]
    done = subprocess.run(argv, capture_output=True, text=True, cwd=tmp_path, check=True)
    assert done.stdout.splitlines()[-1] == f"{code} []"
    assert not (tmp_path / "nowhere").exists()


def test_config_prints_every_key_with_its_origin(capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main(["config", "--preset", "kssm-v3-tiny", "--set", "steps=7"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert [line.split(" ")[0] for line in lines] == list(keys())
    [steps] = [line for line in lines if line.startswith("steps ")]
    assert "= 7 " in steps
    assert steps.endswith("# --set")


def test_presets_are_listed(capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main(["presets"]) == 0
    assert "kssm-v3-tiny" in capsys.readouterr().out


def test_spec_whose_text_is_gone_is_refused_with_its_path(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("trainer.job.stop.Stop.install", lambda _: None)
    monkeypatch.setenv("PHOTINUS_RUN_TOKEN", "f" * 32)
    spec = {"run_id": "x-aaaaaa", "name": "x", "kind": "trainer", "device": "cpu"}
    config = {"data": {"source": "/nosuch/book.txt"}}
    (tmp_path / "spec.json").write_text(json.dumps({**spec, "config": config}))
    assert cli.main(["run", "--spec", str(tmp_path)]) == 2
    assert "/nosuch/book.txt" in json.loads((tmp_path / "exit.json").read_text())["reason"]


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["run"], "--out DIR"),
        (["run", "--out", "x", "--spec", "y"], "--out DIR"),
        (["run", "--out", "x"], "--preset NAME"),
        (["run", "--spec", "x", "--preset", "kssm-v3-tiny"], "--spec says it all"),
        (["run", "--out", "x", "--preset", "kssm-v3-tiny", "--data", "nosuch"], "name python-docs or recall"),
        (["run", "--out", "x", "--preset", "kssm-v4-tiny"], "did you mean 'kssm-v3-tiny'"),
    ],
)
def test_usage_errors_name_the_remedy(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    words: list[str],
    said: str,
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("trainer.job.stop.Stop.install", lambda _: None)
    assert cli.main(words) == 2
    assert said in capsys.readouterr().err


def test_refused_spec_tells_its_supervisor_why(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("trainer.job.stop.Stop.install", lambda _: None)
    monkeypatch.setenv("PHOTINUS_RUN_TOKEN", "f" * 32)
    monkeypatch.setenv("PHOTINUS_ATTEMPT", "2")
    spec = {"run_id": "x-aaaaaa", "name": "x", "kind": "trainer", "device": "cpu", "config": {"stepz": 3}}
    (tmp_path / "spec.json").write_text(json.dumps(spec))
    assert cli.main(["run", "--spec", str(tmp_path)]) == 2
    word = json.loads((tmp_path / "exit.json").read_text())
    assert (word["attempt"], word["token"], word["outcome"]) == (2, "f" * 32, "failed")
    assert "'steps'" in word["reason"]
    assert "'steps'" in capsys.readouterr().err


def test_out_that_is_a_file_is_an_error_without_a_traceback(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("trainer.job.stop.Stop.install", lambda _: None)
    (tmp_path / "out").write_text("a file")
    assert cli.main(["run", "--preset", "kssm-v3-tiny", "--out", str(tmp_path / "out")]) == 2
    assert "out" in capsys.readouterr().err
