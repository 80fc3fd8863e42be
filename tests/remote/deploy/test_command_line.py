"""`photinus hosts deploy NAME --check` and `--clean`, as an operator types them."""

import json
from pathlib import Path

import pytest

from tests.remote.deploy.on_host.test_garbage import NEW, OLD, make_env
from trainer.run.home import open_home
from tui.cli import main
from tui.commands.hosts.tidy import checked_words, swept_words


def test_check_tells_what_is_there_and_clean_takes_what_nothing_needs(
    home: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    opened = open_home(home)
    for age, name in enumerate((OLD, "a" * 16, NEW)):
        make_env(opened, name, at=1000.0 + age)
    assert main(["hosts", "deploy", "local", "--check", "--json"]) == 0
    told = json.loads(capsys.readouterr().out)
    assert told["verdict"] == "none"
    assert [(one["env"], bool(one["why"])) for one in told["environments"]] == [
        (NEW, True),
        ("a" * 16, True),
        (OLD, False),
    ]
    assert main(["hosts", "deploy", "local", "--clean", "--dry-run"]) == 0
    assert f"{OLD} would be removed from local" in capsys.readouterr().out
    assert main(["hosts", "deploy", "local", "--clean", "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["removed"] == [OLD]
    assert not (home / "envs" / OLD).exists()


def test_cleaning_is_an_act_and_looking_is_none(
    home: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("PHOTINUS_READ_ONLY", "1")
    assert main(["hosts", "deploy", "local", "--clean"]) == 3
    assert "only looks" in capsys.readouterr().err
    assert main(["hosts", "deploy", "local", "--check"]) == 0


def test_the_words() -> None:
    env = {"env": "e1", "version": "1.0", "torch": "cpu", "by": "ada", "at": 0.0, "why": []}
    told = {"name": "box", "sentence": "up to date", "version": "1.0", "ours": "1.0", "environments": [env]}
    assert checked_words(told).splitlines()[0] == "box: up to date (there 1.0, here 1.0)"
    assert "nothing needs it" in checked_words(told)
    swept = {"name": "box", "dry_run": False, "removed": [], "bytes": 0, "kept": ["e1"]}
    assert swept_words(swept) == "nothing was removed from box (0 MB); kept: e1"
