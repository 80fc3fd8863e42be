"""In one environment with a stranger's `trainer`: who overwrote or hides ours is named, with the way out."""

import subprocess
import sys
from pathlib import Path

import pytest

import photinus
from remote.deploy.wheel import sources
from tests.house.tree import ROOT

STRANGER = {"trainer/__init__.py": b"", "trainer/cli.py": b"def main():\n    print('strange')\n"}


def install(site: Path, name: str, files: dict[str, bytes]) -> None:
    """What an installer does: files over whatever lies there, and a list of them with their sizes."""
    for path, data in files.items():
        (site / path).parent.mkdir(parents=True, exist_ok=True)
        (site / path).write_bytes(data)
    info = site / f"{name}-1.0.dist-info"
    info.mkdir()
    (info / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {name}\nVersion: 1.0\n")
    (info / "RECORD").write_text("".join(f"{path},sha256=x,{len(data)}\n" for path, data in files.items()))


@pytest.fixture
def site(tmp_path: Path) -> Path:
    """A site-packages that holds what our wheel brings, without its cockpit's widgets."""
    folder = tmp_path / "site"
    folder.mkdir()
    cockpit = ("tui/__init__.py", "tui/cli.py", "tui/py.typed", "photinus.py")
    install(folder, "photinus", sources() | {name: (ROOT / name).read_bytes() for name in cockpit})
    return folder


def begin(site: Path, program: str, *words: str) -> subprocess.CompletedProcess[str]:
    """Run a program of the installation as its script would."""
    entry = "train" if program == "photinus-train" else "main"
    code = f"import sys, photinus; sys.argv[0] = {program!r}; sys.exit(photinus.{entry}())"
    return subprocess.run(
        [sys.executable, "-P", "-c", code, *words],
        env={"PYTHONPATH": str(site), "PATH": "/usr/bin:/bin"},
        capture_output=True,
        text=True,
        check=False,
    )


def test_alone_there_is_no_trouble(site: Path) -> None:
    assert photinus.trouble([str(site)], site) == ""
    done = begin(site, "photinus-train", "presets")
    assert done.returncode == 0, done.stderr
    assert "kssm-v3-tiny" in done.stdout, "the presets come along"


def test_who_overwrote_our_files_is_named(site: Path) -> None:
    install(site, "strange-trainer", STRANGER)
    done = begin(site, "photinus-train", "presets")
    assert done.returncode == 2
    assert "strange" not in done.stdout, "nothing of a stranger is run"
    assert "overwrote our trainer/" in done.stderr
    assert "strange-trainer" in done.stderr
    assert "pipx install photinus" in done.stderr
    assert "Traceback" not in done.stderr


@pytest.mark.parametrize("name", photinus.PACKAGES)
def test_who_hides_our_package_is_named(site: Path, tmp_path: Path, name: str) -> None:
    (tmp_path / "first" / name).mkdir(parents=True)
    (tmp_path / "first" / name / "__init__.py").touch()
    said = photinus.trouble([str(tmp_path / "first"), str(site)], site)
    assert said.startswith(f"{(tmp_path / 'first' / name).resolve()} hides our package `{name}`")


def test_a_single_foreign_file_is_noticed(site: Path) -> None:
    """A namespace package brings no `__init__`, and still overwrites a module."""
    install(site, "half", {"trainer/cli.py": STRANGER["trainer/cli.py"]})
    assert "overwrote our trainer/cli.py" in photinus.trouble([str(site)], site)


def test_a_package_that_was_taken_away_is_noticed(site: Path) -> None:
    (site / "trainer" / "__init__.py").unlink()
    assert "`trainer` is not whole" in photinus.trouble([str(site)], site)


def test_a_checkout_has_no_trouble() -> None:
    assert photinus.trouble([str(ROOT)], ROOT) == ""
