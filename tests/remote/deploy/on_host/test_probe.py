"""The probe as it is sent: its size, its age, its way through shells; it changes nothing on a host."""

import ast
import os
import shutil
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from remote.deploy.remote_python import call_text, perform
from remote.deploy.survey import FINDER, PROBE, PROBE_MAX, probe, script
from remote.deploy.upload import STAGE
from remote.hosts.host import Host
from remote.ssh.client import connect
from remote.transport.base import ConnectAttempt
from tests.remote.deploy.here import Here
from tests.sshd.needs import need_namespaces
from tests.sshd.server import Sshd, User

HOST = Host("box", address="box")


def test_the_probe_is_small_and_python_3_6() -> None:
    source = PROBE.read_bytes()
    assert len(source) <= PROBE_MAX
    ast.parse(source, feature_version=(3, 6))
    assert b":=" not in source
    assert b"removeprefix" not in source
    assert b"capture_output" not in source


def test_what_the_probe_uses_is_of_the_standard_library() -> None:
    tree = ast.parse(PROBE.read_bytes())
    names = {alias.name for node in ast.walk(tree) if isinstance(node, ast.Import) for alias in node.names}
    assert names <= sys.stdlib_module_names
    assert not [node for node in ast.walk(tree) if isinstance(node, ast.ImportFrom)]


def test_it_tells_of_this_machine_and_changes_nothing(tmp_path: Path) -> None:
    home = tmp_path / "ada" / ".photinus"
    (tmp_path / "ada").mkdir()
    here = Here({"PATH": f"{Path(sys.executable).parent}:/usr/bin:/bin", "HOME": str(home.parent)})
    found = probe(here, HOST)
    assert (found.system, found.home, found.home_trouble) == ("linux", str(home), "")
    assert found.disk_free == pytest.approx(shutil.disk_usage(tmp_path).free, rel=0.05)
    assert found.filesystem not in ("", "unknown")
    assert any("torch" in one.packages for one in found.pythons)
    assert all(os.access(one.path, os.X_OK) for one in found.pythons)
    assert [path.name for path in tmp_path.rglob("*")] == ["ada"], "nothing was made on the host"


def test_the_python_that_is_asked_for_is_looked_at_first(tmp_path: Path) -> None:
    here = Here({"PATH": "/usr/bin:/bin", "HOME": str(tmp_path)})
    asked = Host("box", address="box", python=sys.executable, home=str(tmp_path / "it's $(touch x); home"))
    found = probe(here, asked)
    assert (found.pythons[0].asked, found.pythons[0].path) == (True, sys.executable)
    assert not any(one.asked for one in found.pythons[1:])
    assert found.home == asked.home, "a setting is data to the probe, and nothing to a shell"
    assert not (tmp_path / "x").exists()
    assert len(script(asked)) < 2 * PROBE_MAX


def other_pythons() -> list[Path]:
    """The installations beside this interpreter's, as pyenv lays them; at least this one."""
    found = {path.resolve() for path in Path(sys.base_prefix).parent.glob("*/bin/python3")}
    able = [path for path in found if path.name >= "python3.6" and path.name != "python3.5"]
    return sorted(able) or [Path(sys.executable)]


@pytest.mark.parametrize("interpreter", other_pythons(), ids=lambda path: path.name)
def test_it_runs_on_every_python_of_this_machine(interpreter: Path, tmp_path: Path) -> None:
    here = Here({"PATH": "/usr/bin:/bin", "HOME": str(tmp_path)}, shell=(str(interpreter), "-I", "-"))
    assert probe(here, HOST).home == str(tmp_path / ".photinus")


@pytest.mark.parametrize(
    "user",
    [
        User("noisy", bashrc="echo hello; echo photinus-probe; printf 'no newline'"),
        User("dashing", shell="/bin/dash"),
        User("fishy", shell="/usr/bin/fish"),
        User("tcshy", shell="/bin/tcsh"),
        User("pathless", env={"PATH": "/nowhere"}),
    ],
    ids=lambda user: user.name,
)
def test_every_login_shell_hands_the_probe_on(user: User, tmp_path: Path) -> None:
    if not Path(user.shell).exists():
        pytest.skip(f"no {user.shell} here")
    shell = (user.shell, "-c")
    env = {"HOME": str(tmp_path), "PATH": "/usr/bin:/bin", **user.env}
    if user.bashrc:
        (tmp_path / "rc").write_text(user.bashrc)
        env["BASH_ENV"] = str(tmp_path / "rc")
    found = probe(Here(env, shell=shell), HOST)
    assert found.pythons


def test_probe_and_programs_pass_through_login_shells_over_ssh(start_sshd: Callable[..., Sshd]) -> None:
    users = [
        User("noisy", bashrc="echo welcome; echo photinus-deploy nonsense; printf 'no newline'"),
        User("fishy", shell="/usr/bin/fish"),
    ]
    sshd = start_sshd([user for user in users if Path(user.shell).exists()])
    for user in sshd.users:
        client = connect(sshd.host(user, user), ConnectAttempt())
        try:
            found = probe(client, HOST)
            assert found.home == str(sshd.home(user) / ".photinus")
            told = perform(
                client,
                found.pythons[0].path,
                call_text(STAGE.read_bytes(), "prepare", home=found.home, sha256="0" * 64),
            )
            assert told == {"there": False, "size": 0}
        finally:
            client.close()


def test_the_finder_is_one_line_without_history_signs() -> None:
    assert "\n" not in FINDER
    assert "!" not in FINDER
    assert FINDER.count("'") == 2


@pytest.mark.parametrize(
    ("option", "said"), [("noexec", "mounted noexec"), ("ro", "read-only"), ("mode=0777", "")]
)
def test_a_home_where_nothing_may_run_or_be_written_is_seen(tmp_path: Path, option: str, said: str) -> None:
    """A real mount, which nobody else sees: it is in a namespace of the login's own."""
    need_namespaces()
    mount = f'mount -t tmpfs -o {option},size=1m none {tmp_path} && exec /bin/sh -c "$0"'
    shell = ("unshare", "-m", "/bin/sh", "-c", mount)
    here = Here({"PATH": "/usr/bin:/bin", "HOME": str(tmp_path)}, shell=shell)
    found = probe(here, HOST)
    assert found.filesystem == "tmpfs"
    assert said in found.home_trouble
    assert bool(found.home_trouble) == bool(said)
    assert ("--home" in found.home_remedy) == bool(said)
