"""Unattended resume: the texts of the units, and their installation. systemd and launchd are not run here."""

import plistlib
import shlex
import shutil
import subprocess
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from remote.agent.starts.autostart import Ground, arrange, renew
from remote.agent.starts.boot_units import (
    label,
    launch_agent,
    launchd_notes,
    systemd_notes,
    systemd_unit,
    unit_name,
)
from remote.protocol.errors import CallError
from remote.protocol.verbs import acts
from remote.session.session import Session
from tests.remote.calling import call

PYTHON, HOME = "/h/.photinus/envs/ab12/bin/python", "/h/.photinus"
UNIT, LABEL = unit_name(HOME), label(HOME)


@pytest.fixture
def linux(tmp_path: Path) -> Ground:
    booted, linger = tmp_path / "booted", tmp_path / "linger"
    booted.mkdir()
    linger.mkdir()
    return Ground("linux", "ada", tmp_path / "ada", linger, booted)


@pytest.fixture
def mac(tmp_path: Path) -> Ground:
    return Ground("darwin", "ada", tmp_path / "ada", filevault=lambda: True)


def values(unit: str, key: str) -> list[str]:
    return [line.partition("=")[2] for line in unit.splitlines() if line.startswith(f"{key}=")]


def test_a_unit_runs_one_contact_and_leaves_what_it_started_alone() -> None:
    unit = systemd_unit(PYTHON, HOME)
    assert shlex.split(values(unit, "ExecStart")[0]) == [PYTHON, "-I", "-m", "remote.agent", "--contact"]
    assert shlex.split(values(unit, "Environment")[0]) == [f"PHOTINUS_HOME={HOME}"]
    assert values(unit, "Type") + values(unit, "KillMode") + values(unit, "RemainAfterExit") == [
        "oneshot", "process", "yes",
    ]  # fmt: skip
    assert values(unit, "WantedBy") == ["default.target"]


def test_a_path_with_signs_of_systemds_own_stays_that_path() -> None:
    unit = systemd_unit('/a b/%h/$HOME/\\"x/python', "/home/100%")
    assert values(unit, "ExecStart")[0].startswith('"/a b/%%h/$$HOME/\\\\\\"x/python" ')
    assert values(unit, "Environment") == ['"PHOTINUS_HOME=/home/100%%"']
    with pytest.raises(ValueError, match="control characters"):
        systemd_unit("/a\nExecStart=/bin/evil", HOME)


@pytest.mark.skipif(shutil.which("systemd-analyze") is None, reason="no systemd-analyze here")
def test_systemd_reads_the_unit_without_a_complaint(tmp_path: Path) -> None:
    python = tmp_path / "my python"
    python.write_text("#!/bin/sh\n")
    python.chmod(0o755)
    (tmp_path / UNIT).write_text(systemd_unit(str(python), HOME))
    said = subprocess.run(
        ["systemd-analyze", "verify", "--user", "--man=no", tmp_path / UNIT],
        capture_output=True, text=True, timeout=30, check=False,
    )  # fmt: skip
    complaints = [line for line in said.stderr.splitlines() if UNIT in line]
    assert complaints == [], said.stderr


def test_a_launch_agent_runs_at_login_and_leaves_what_it_started_alone() -> None:
    told = plistlib.loads(launch_agent(PYTHON, HOME, f"{HOME}/contact.log"))
    assert told["ProgramArguments"] == [PYTHON, "-I", "-m", "remote.agent", "--contact"]
    assert told["EnvironmentVariables"] == {"PHOTINUS_HOME": HOME}
    assert (told["Label"], told["RunAtLoad"], told["AbandonProcessGroup"]) == (LABEL, True, True)
    assert told["ProcessType"] == "Interactive"


def test_what_cannot_be_done_is_said() -> None:
    assert "loginctl enable-linger" in systemd_notes("ada", lingers=False)[0]
    assert "before anybody logs in" in systemd_notes("ada", lingers=True)[0]
    assert ["FileVault is on:" in " ".join(launchd_notes(on)) for on in (True, False, None)] == [
        True,
        False,
        False,
    ]
    assert "could not be read" in " ".join(launchd_notes(None))


def snapshot(folder: Path) -> dict[str, Any]:
    return {
        str(path.relative_to(folder)): path.readlink() if path.is_symlink() else path.read_bytes()
        for path in sorted(folder.rglob("*"))
        if path.is_symlink() or path.is_file()
    }


@pytest.mark.parametrize("platform", ["linux", "mac"])
def test_it_is_installed_once_renewed_and_taken_away(platform: str, request: pytest.FixtureRequest) -> None:
    ground: Ground = request.getfixturevalue(platform)
    first = arrange(ground, "install", PYTHON, HOME)
    assert (first.installed, first.changed) == (True, True)
    assert first.notes
    there = snapshot(ground.user_home)
    again = arrange(ground, "install", PYTHON, HOME)
    assert (again.installed, again.changed, snapshot(ground.user_home)) == (True, False, there)
    renewed = arrange(ground, "refresh", "/h/.photinus/envs/cd34/bin/python", HOME)
    assert renewed.changed
    assert b"cd34" in b"".join(
        held for held in snapshot(ground.user_home).values() if isinstance(held, bytes)
    )
    gone = arrange(ground, "remove", PYTHON, HOME)
    assert (gone.installed, gone.changed, snapshot(ground.user_home)) == (False, True, {})
    assert arrange(ground, "remove", PYTHON, HOME).changed is False


def test_a_refresh_installs_nothing_where_nothing_was(linux: Ground) -> None:
    told = arrange(linux, "refresh", PYTHON, HOME)
    assert (told.installed, told.changed, linux.user_home.exists()) == (False, False, False)


def test_two_state_roots_of_one_account_do_not_take_each_others_place(linux: Ground) -> None:
    arrange(linux, "install", PYTHON, HOME)
    arrange(linux, "install", "/scratch/p/envs/1/bin/python", "/scratch/p")
    assert len([path for path in snapshot(linux.user_home) if path.endswith(".service")]) == 4
    arrange(linux, "remove", PYTHON, HOME)
    assert {Path(path).name for path in snapshot(linux.user_home)} == {unit_name("/scratch/p")}


def test_the_environment_that_serves_renews_the_unit_of_its_own_state_root(linux: Ground) -> None:
    path = linux.user_home / ".config" / "systemd" / "user" / UNIT
    newer = "/h/.photinus/envs/cd34/bin/python"
    renew(Path(HOME), linux, newer)
    assert not path.exists()
    arrange(linux, "install", PYTHON, HOME)
    for other in ("/usr/bin/python3", "/elsewhere/envs/cd34/bin/python"):
        renew(Path(HOME), linux, other)
        assert PYTHON in path.read_text()
    renew(Path(HOME), linux, newer)
    assert newer in path.read_text()
    renew(
        Path(HOME), replace(linux, booted=Path("/not")), newer
    )  # nothing of the kind here: it serves anyway


def test_systemd_is_enabled_as_systemctl_would(linux: Ground) -> None:
    arrange(linux, "install", PYTHON, HOME)
    folder = linux.user_home / ".config" / "systemd" / "user"
    assert (folder / "default.target.wants" / UNIT).resolve() == (folder / UNIT).resolve()


def test_a_user_who_lingers_is_told_so(linux: Ground) -> None:
    (linux.linger / "ada").touch()
    assert "before anybody logs in" in arrange(linux, "install", PYTHON, HOME).notes[0]


def test_a_host_without_systemd_is_told_what_to_run_instead(linux: Ground) -> None:
    with pytest.raises(CallError) as caught:
        arrange(replace(linux, booted=linux.booted / "not"), "install", PYTHON, HOME)
    assert (caught.value.exit_code, f"{PYTHON} -I -m remote.agent --contact" in caught.value.remedy) == (
        3,
        True,
    )


def test_it_is_a_verb_that_acts(session: Session, home: Path) -> None:
    assert acts("autostart")
    with pytest.raises(CallError) as caught:
        call(session, "autostart", {"action": "explode"})
    assert caught.value.code == "bad_request"
    session.read_only = True
    with pytest.raises(CallError, match="only looks"):
        call(session, "autostart", {"action": "install"})
