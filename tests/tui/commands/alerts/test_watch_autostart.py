"""The unit and the property list that make a laptop watch: what they say, put there and taken away."""

import plistlib
import shutil
import subprocess
from collections.abc import Sequence
from pathlib import Path

import pytest

from remote.protocol.errors import CallError
from tui.commands.alerts.autostart import WatchGround, arrange_watch
from tui.commands.alerts.watch_units import systemd_watch


class Ground:
    """A machine on which nothing is really begun."""

    def __init__(self, folder: Path, platform: str, *, booted: bool = True, begins: bool = True) -> None:
        self.called: list[Sequence[str]] = []
        self.begins = begins
        home = folder / "state root"
        env = {"PHOTINUS_HOME": str(home)}
        self.ground = WatchGround(
            platform, folder, env, folder if booted else folder / "none", "/opt/my env/bin/python", self.call
        )

    def call(self, words: Sequence[str]) -> bool:
        self.called.append(words)
        return self.begins


def test_systemd_gets_a_unit_that_is_enabled_and_begun_and_loses_it_again(tmp_path: Path) -> None:
    made = Ground(tmp_path, "linux")
    told = arrange_watch(made.ground, remove=False)
    unit, link = map(Path, told["files"])
    text = unit.read_text()
    assert 'ExecStart="/opt/my env/bin/python" "-I" "-m" "photinus" "alerts" "watch"' in text
    assert f'Environment="PHOTINUS_HOME={tmp_path}/state root"' in text
    assert "RestartPreventExitStatus=2 3 4" in text
    assert link.readlink() == unit
    assert [words[2] for words in made.called] == ["daemon-reload", "restart"]
    assert (told["installed"], told["changed"]) == (True, True)
    assert not arrange_watch(made.ground, remove=False)["changed"]
    assert not arrange_watch(made.ground, remove=True)["installed"]
    assert made.called[-1][2] == "stop"
    assert not unit.exists()
    assert not link.is_symlink()
    assert not arrange_watch(made.ground, remove=True)["changed"]


def test_launchd_gets_a_property_list(tmp_path: Path) -> None:
    made = Ground(tmp_path, "darwin", begins=False)
    told = arrange_watch(made.ground, remove=False)
    (path,) = told["files"]
    held = plistlib.loads(Path(path).read_bytes())
    assert held["ProgramArguments"][1:] == ["-I", "-m", "photinus", "alerts", "watch"]
    assert held["KeepAlive"] == {"SuccessfulExit": False}
    assert "begins with your next login" in told["notes"][0]


def test_without_systemd_it_says_so_and_what_to_do(tmp_path: Path) -> None:
    with pytest.raises(CallError, match="does not run systemd") as caught:
        arrange_watch(Ground(tmp_path, "linux", booted=False).ground, remove=False)
    assert "-m photinus alerts watch" in caught.value.remedy
    assert caught.value.exit_code == 3


def test_a_path_that_no_unit_can_hold_is_refused() -> None:
    with pytest.raises(ValueError, match="control characters"):
        systemd_watch("/opt/a\nb", {})
    assert '"/100%%/$$a"' in systemd_watch("/100%/$a", {})


@pytest.mark.skipif(shutil.which("systemd-analyze") is None, reason="there is no systemd-analyze here")
def test_systemd_itself_takes_the_unit(tmp_path: Path) -> None:
    unit = tmp_path / "photinus-alerts.service"
    unit.write_text(systemd_watch("/bin/sh", {"PHOTINUS_HOME": "/var/a b"}))
    done = subprocess.run(
        ["systemd-analyze", "verify", "--user", str(unit)], capture_output=True, check=False
    )
    assert b"Unknown" not in done.stderr
    assert b"Failed to parse" not in done.stderr
