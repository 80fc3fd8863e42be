"""What a host gets is what was tested here, and no more than it needs."""

import re
import tomllib
from pathlib import Path

import pytest

from remote.deploy.requirements import BASE, NVIDIA, TRAIN, normal, pinned, pins, satisfies

ROOT = Path(__file__).parents[3]


def floors(rows: list[str]) -> dict[str, str]:
    found = [re.match(r"([A-Za-z0-9_-]+)>=([0-9.]+)", row) for row in rows]
    return {one[1]: one[2] for one in found if one}


def test_the_pins_are_those_of_the_suite() -> None:
    tested = dict(row.split("==") for row in (ROOT / "constraints.txt").read_text().split())
    tested = {normal(name): version for name, version in tested.items()}
    shared = {name for name in pins() if name in tested}
    assert {name: pins()[name] for name in shared} == {name: tested[name] for name in shared}
    assert set(pins()) - shared <= {"nvidia-ml-py", "setuptools"}, "what the suite does not install"


def test_the_floors_are_those_of_pyproject() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    wanted = floors(project["dependencies"])
    assert {name: wanted[name] for name in BASE} == dict(BASE)
    assert floors(project["optional-dependencies"]["train"]) == dict(TRAIN)
    assert floors(project["optional-dependencies"]["nvidia"]) == dict(NVIDIA)
    assert set(wanted) - set(BASE) == {"textual", "paramiko", "regex"}, "what the cockpit alone needs"


def test_every_requirement_is_pinned() -> None:
    assert [pinned(name).startswith(f"{name}==") for name in (*BASE, *TRAIN, *NVIDIA)]


@pytest.mark.parametrize(
    ("found", "floor", "will_do"),
    [
        ("2.13.0+cpu", "2.11", True),
        ("2.11", "2.11", True),
        ("2.9.1", "2.11", False),
        ("10.0", "9.9", True),
        ("", "1", False),
        ("0", "1", False),
        ("garbage", "1", False),
    ],
)
def test_versions_are_compared_by_their_numbers(found: str, floor: str, will_do: bool) -> None:
    assert satisfies(found, floor) == will_do
