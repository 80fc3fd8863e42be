"""Nothing of one machine is in the tree: no link out of it, no path of a home, no registry's address."""

import re
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.house.tree import ROOT, tracked

PLACES = r"(?:home|Users|root|work|workspace|mnt)"
MACHINE_PATH = re.compile(rf"(?<![\w.~$}}{{/-])/{PLACES}/[\w.-]+(?:/[\w.-]+)*")
INDEX = r"(?:index-url|extra-index|registry|find-links)"
REGISTRY = re.compile(rf"{INDEX}[\"']?\s*[=: ]\s*[\"']?https?://([\w.:-]+)", re.IGNORECASE)
PUBLIC_INDEXES = {"download.pytorch.org", "pypi.org"}
EXAMPLES = {
    "tests/house/test_swept_floor.py": {"/home/100", "/home/a", "/Users/x"},
    "tests/remote/agent/starts/test_autostart.py": {"/home/100"},
    "tests/remote/deploy/test_plan.py": {"/home/a"},
    "tests/trainer/run/process/test_kernel_macos.py": {"/Users/x"},
}
"""File -> paths that stand in it as an example. Ada is everybody's example: her home may stand anywhere."""
ADA = ("/home/ada", "/Users/ada")


def links_out(root: Path, names: tuple[str, ...]) -> Iterator[str]:
    """Symbolic links that lead out of the tree, or nowhere in it."""
    for name in names:
        path = root / name
        if path.is_symlink():
            target = (path.parent / path.readlink()).resolve()
            if path.readlink().is_absolute() or not target.is_relative_to(root.resolve()):
                yield name


def paths_of_machines(root: Path, names: tuple[str, ...]) -> Iterator[tuple[str, str]]:
    """Absolute paths that only one machine has, and addresses of package registries."""
    for name in names:
        path = root / name
        if path.is_symlink() or not path.is_file():
            continue
        text = path.read_bytes().decode("utf-8", "replace")
        for found in MACHINE_PATH.findall(text):
            yield name, found
        for host in REGISTRY.findall(text):
            if host not in PUBLIC_INDEXES:
                yield name, host


def every_name() -> tuple[str, ...]:
    """Tracked paths, dangling links too, which `tracked` leaves out."""
    words = ["git", "ls-files", "-z"]
    listed = subprocess.run(words, cwd=ROOT, capture_output=True, text=True, check=True).stdout
    return tuple(name for name in listed.split("\0") if name and (ROOT / name).is_symlink()) + tracked()


def test_no_link_leads_out_of_the_tree() -> None:
    assert sorted(set(links_out(ROOT, every_name()))) == []


def test_nothing_names_a_place_of_one_machine() -> None:
    found = {
        (name, what)
        for name, what in paths_of_machines(ROOT, tracked())
        if not what.startswith(ADA) and what not in EXAMPLES.get(name, ())
    }
    assert sorted(found) == []


@pytest.mark.parametrize("target", ["/tmp/elsewhere", "../../outside", "/nowhere/at/all"])
def test_a_link_out_would_be_noticed(tmp_path: Path, target: str) -> None:
    (tmp_path / "tree").mkdir()
    (tmp_path / "tree" / "bin").symlink_to(target)
    (tmp_path / "tree" / "inside").symlink_to("bin")
    assert "bin" in set(links_out(tmp_path / "tree", ("bin",)))


def test_a_path_and_a_registry_would_be_noticed(tmp_path: Path) -> None:
    (tmp_path / "a.md").write_text("see /" + "home/bob/photinus/run.log, or ~/.photinus\n")
    (tmp_path / "pip.conf").write_text("[global]\nindex-url = https://" + "mirror.example.org/simple\n")
    (tmp_path / "fine.py").write_text("PATH = '/usr/bin/python3'\nURL = f'{home}/work/x'\n")
    found = set(paths_of_machines(tmp_path, ("a.md", "pip.conf", "fine.py")))
    assert found == {("a.md", "/home" + "/bob/photinus/run.log"), ("pip.conf", "mirror.example.org")}
