"""What a machine may do to a run: read from copies of its configuration."""

from pathlib import Path

import pytest

from remote.agent.checkup.machine import drivers, full_disk_access, logind, logind_settings, python
from remote.agent.context import Context
from trainer.run.home import open_home


@pytest.fixture
def etc(tmp_path: Path) -> Path:
    """A machine with logind and its default configuration."""
    (tmp_path / "run/systemd/system").mkdir(parents=True)
    (tmp_path / "etc/systemd/logind.conf.d").mkdir(parents=True)
    (tmp_path / "var/lib/systemd/linger").mkdir(parents=True)
    (tmp_path / "etc/systemd/logind.conf").write_text("[Login]\n#KillUserProcesses=no\n#RemoveIPC=yes\n")
    return tmp_path


def told(root: Path, user: str = "ada", uid: int = 1001) -> list[str]:
    return [f"{one.level}: {one.what}" for one in logind(root, user, uid)]


def test_defaults_only_mention_shared_memory_and_lingering_ends_that(etc: Path) -> None:
    assert [text.split(":")[0] for text in told(etc)] == ["note"]
    (etc / "var/lib/systemd/linger/ada").touch()
    assert told(etc) == []


def test_a_system_user_and_a_machine_without_logind_are_left_alone(etc: Path, tmp_path: Path) -> None:
    assert told(etc, "daemon", 2) == []
    assert told(tmp_path / "elsewhere") == []


def test_processes_that_end_at_logout_are_a_problem_that_lingering_does_not_mend(etc: Path) -> None:
    (etc / "etc/systemd/logind.conf.d/10-site.conf").write_text("[Login]\nKillUserProcesses = yes\n")
    (etc / "var/lib/systemd/linger/ada").touch()
    found = list(logind(etc, "ada", 1001))
    assert [one.level for one in found] == ["problem"]
    assert "KillExcludeUsers=root ada" in found[0].remedy


@pytest.mark.parametrize(
    ("text", "dies"),
    [
        ("KillUserProcesses=yes\nKillExcludeUsers=root ada", False),
        ("KillUserProcesses=yes\nKillOnlyUsers=bob", False),
        ("KillUserProcesses=yes\nKillOnlyUsers=bob ada", True),
        ("KillUserProcesses=no", False),
        ("# KillUserProcesses=yes", False),
    ],
)
def test_who_is_spared(etc: Path, text: str, dies: bool) -> None:
    (etc / "etc/systemd/logind.conf").write_text(f"[Login]\n{text}\nRemoveIPC=no\n")
    assert bool(told(etc)) is dies


def test_a_later_drop_in_wins_and_one_of_etc_hides_its_namesake(etc: Path) -> None:
    lib = etc / "usr/lib/systemd/logind.conf.d"
    lib.mkdir(parents=True)
    (lib / "50-x.conf").write_text("KillUserProcesses=yes\n")
    assert logind_settings(etc)["KillUserProcesses"] == "yes"
    (etc / "etc/systemd/logind.conf.d/50-x.conf").write_text("RemoveIPC=no\n")
    assert "KillUserProcesses" not in logind_settings(etc)
    (etc / "etc/systemd/logind.conf.d/60-y.conf").write_text("RemoveIPC=yes\n")
    assert logind_settings(etc)["RemoveIPC"] == "yes"


def test_full_disk_access_is_told_by_a_folder_that_may_not_be_listed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Simulated: not tried on a Mac."""

    def refuse(path: object) -> list[str]:
        raise PermissionError(1, "Operation not permitted", str(path))

    assert list(full_disk_access(tmp_path)) == []
    monkeypatch.setattr("remote.agent.checkup.machine.os.listdir", refuse)
    assert [one.level for one in full_disk_access(tmp_path)] == ["warning"]


def test_what_training_and_telemetry_lack_are_notes(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert list(python()) == []
    monkeypatch.setattr("remote.agent.checkup.machine.missing_for_training", lambda: ["torch"])
    assert "lacks torch" in next(iter(python())).what
    monkeypatch.setattr("remote.agent.checkup.machine.missing_for_training", list)
    monkeypatch.setattr("remote.agent.checkup.machine.torch_warning", lambda: "torch 1.0 is old")
    assert [one.level for one in python()] == ["warning"]
    ctx = Context.of(open_home(home))
    ctx.devices = lambda: ["cpu"]
    assert list(drivers(ctx)) == []
    monkeypatch.setitem(__import__("sys").modules, "pynvml", None)
    ctx.devices = lambda: ["cpu", "cuda-0"]
    assert [one.about for one in drivers(ctx)] == ["telemetry"]
