"""What another user could have planted is refused before it is used, by every program."""

import os
import stat
from collections.abc import Iterator
from pathlib import Path

import pytest

from remote.hosts.client_state import read_own
from remote.protocol.errors import CallError
from tests.remote.conftest import end_everything
from trainer.cli import main as train
from trainer.run.disk.atomic import read_json, write_json
from trainer.run.disk.ownership import check_root
from trainer.run.layout import RunDir
from trainer.run.locks import Flock
from trainer.run.run_errors import HomeError, RecordError
from tui.cli import main

OTHER = 65534
AS_ROOT = pytest.mark.skipif(os.geteuid() != 0, reason="only root can give a file to another user")


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    root = tmp_path / "home"
    root.mkdir(mode=0o700)
    monkeypatch.setenv("PHOTINUS_HOME", str(root))
    yield root
    end_everything(root)


@pytest.fixture
def evil(home: Path, tmp_path: Path) -> Path:
    """A hosts file that names a program; the file that this program makes."""
    ran, program = tmp_path / "ran", tmp_path / "evil"
    program.write_text(f"#!/bin/sh\ntouch {ran}\n")
    program.chmod(0o755)
    (home / "config").mkdir(mode=0o700)
    (home / "config" / "hosts.yaml").write_text(f"local: {{python: {program}}}\n")
    (home / "config" / "hosts.yaml").chmod(0o600)
    return ran


def test_the_control_a_hosts_file_of_ours_is_believed(home: Path, evil: Path) -> None:
    assert main(["hosts", "list"]) == 0
    main(["ls"])
    assert evil.exists()


@pytest.mark.parametrize("words", [("ls",), ("hosts", "list"), ("hosts", "test", "local")])
@pytest.mark.parametrize("mode", [0o777, 0o770, 0o755])
def test_a_root_that_others_may_enter_is_refused_before_anything_is_run(
    home: Path, evil: Path, words: tuple[str, ...], mode: int, capsys: pytest.CaptureFixture[str]
) -> None:
    home.chmod(mode)
    assert main(words) == 3
    assert not evil.exists()
    assert "chmod 700" in capsys.readouterr().err


def test_a_root_that_is_refused_says_what_goes_on_in_it(home: Path) -> None:
    home.chmod(0o755)
    runs = [RunDir(home / "runs" / f"demo-aaaaa{letter}").create() for letter in "abc"]
    with pytest.raises(HomeError, match="is open to other users; run: chmod 700"):
        check_root(home)
    with Flock(runs[0].lock) as one, Flock(runs[1].lock) as two:
        assert one.take()
        with pytest.raises(HomeError, match="and a run in it goes on meanwhile; run: chmod 700"):
            check_root(home)
        assert two.take()
        runs[2].lock.symlink_to(runs[0].lock)
        with pytest.raises(HomeError, match="and 2 runs in it go on meanwhile"):
            check_root(home)


@pytest.mark.parametrize("below", ["config/hosts.yaml", "config"])
@pytest.mark.parametrize("bit", [stat.S_IWGRP, stat.S_IWOTH])
@pytest.mark.parametrize("command", ["ls", "doctor"])
def test_a_hosts_file_that_others_may_write_is_not_read(
    home: Path, evil: Path, below: str, bit: int, command: str, capsys: pytest.CaptureFixture[str]
) -> None:
    path = home / below
    path.chmod(path.stat().st_mode | bit)
    assert main([command]) == 3
    assert not evil.exists()
    assert f"chmod go-w {path}" in capsys.readouterr().err
    path.chmod(path.stat().st_mode & ~bit)
    assert main(["hosts", "list"]) == 0, "the control: mended as it was said"


@AS_ROOT
@pytest.mark.parametrize("below", ["config/hosts.yaml", "config", "."])
def test_another_users_file_is_not_read_however_private_it_is(home: Path, evil: Path, below: str) -> None:
    os.chown(home / below, OTHER, OTHER)
    assert main(["ls"]) == 3
    assert not evil.exists()


@pytest.mark.parametrize("name", ["known_hosts", "proxy_commands"])
def test_what_decides_whom_to_trust_is_ours_alone(home: Path, name: str) -> None:
    path = home / "client" / name
    assert read_own(path) == ""
    path.parent.mkdir(mode=0o700)
    path.write_text("box ssh-ed25519 AAAA\n")
    path.chmod(0o600)
    assert read_own(path).startswith("box"), "the control"
    path.chmod(0o666)
    with pytest.raises(CallError, match="written by other users") as caught:
        read_own(path)
    assert caught.value.code == "refused"
    path.chmod(0o600)
    path.parent.chmod(0o777)
    with pytest.raises(CallError, match="written by other users"):
        read_own(path)


@AS_ROOT
def test_a_record_that_another_user_planted_starts_nothing(home: Path) -> None:
    """A forgotten start in client/intents or a queue is a program that runs."""
    path = home / "spec.json"
    write_json(path, {"argv": ["evil"]})
    assert read_json(path) == {"argv": ["evil"]}, "the control"
    os.chown(path, OTHER, OTHER)
    with pytest.raises(RecordError, match="belongs to user 65534"):
        read_json(path)


def test_the_trainer_refuses_the_same_roots(
    home: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    assert train(["presets"]) == 0, "the control"
    home.chmod(0o777)
    assert train(["presets"]) == 3
    assert "chmod 700" in capsys.readouterr().err
    monkeypatch.setenv("PHOTINUS_HOME", "relative/home")
    assert train(["presets"]) == 3
    assert "relative" in capsys.readouterr().err
