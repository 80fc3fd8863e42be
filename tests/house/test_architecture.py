"""ARCHITECTURE.md says what the code does: its table is the contracts', and what it names is there."""

import re

import pytest

from tests.house.allow_list import rooms_of
from tests.house.tree import ROOT, room_lines

ROW = re.compile(r"^\| `([\w.]+)` \| ([^|]+) \| ([^|]*) \|$", re.MULTILINE)
FILE = re.compile(r"`((?:trainer|remote|tui|tests|configs|benchmarks|docs)/[\w./-]*)`")


def table_of(text: str) -> dict[str, frozenset[str]]:
    """Room -> what the page says that it may import."""
    return {
        room: frozenset(name.strip() for name in allowed.split(",") if name.strip())
        for room, _, allowed in ROW.findall(text)
    }


def test_the_table_is_what_the_contracts_hold() -> None:
    page = (ROOT / "ARCHITECTURE.md").read_text(encoding="utf-8")
    assert table_of(page) == rooms_of(list(room_lines()))


def test_a_row_that_says_more_would_be_noticed() -> None:
    page = (ROOT / "ARCHITECTURE.md").read_text(encoding="utf-8")
    said = page.replace("| `remote.supervisor` |", "| `remote.supervisors` |")
    assert table_of(said) != rooms_of(list(room_lines()))


@pytest.mark.parametrize("page", ["ARCHITECTURE.md", "CONTRIBUTING.md"])
def test_every_file_that_a_page_names_is_there(page: str) -> None:
    named = set(FILE.findall((ROOT / page).read_text(encoding="utf-8")))
    assert named, "a page of the house names places in it"
    assert {name for name in named if not (ROOT / name).exists()} == set()


def test_both_walks_are_whole() -> None:
    page = (ROOT / "ARCHITECTURE.md").read_text(encoding="utf-8")
    for opening in ("The key `x`, from the keyboard", "A metric, from the device"):
        walk = page.split(opening)[1].split("\n\n")[1]
        stations = walk.splitlines()
        assert [line.split(".")[0] for line in stations] == [str(n + 1) for n in range(len(stations))]
        assert len(stations) >= 12
        assert all(FILE.search(line) for line in stations)
