"""docs/trials.md: every finding and every promise names a test, and every test that it names is there."""

import ast
import re
from functools import cache
from pathlib import Path

ROOT = Path(__file__).parents[1]
NAMED = re.compile(r"`(tests/[\w/]+\.py)::(test_\w+)`")
FINDINGS = {
    "SSH": range(1, 15),
    "Operations": [*range(1, 10), *range(11, 16)],
    "Security": range(1, 12),
    "Cockpit A": (1, 6),
}


def rows(heading: str) -> dict[str, str]:
    """First cell -> the whole row, of the table below a heading."""
    page = (ROOT / "docs" / "trials.md").read_text(encoding="utf-8")
    table = page.partition(f"## {heading}\n")[2].partition("\n## ")[0]
    lines = [line for line in table.splitlines() if line.startswith("| ")][1:]
    return {line.split(" | ")[0].removeprefix("| "): line for line in lines}


@cache
def defined_in(file: str) -> frozenset[str]:
    """The tests in a file, those of its classes too."""
    path = ROOT / file
    if not path.is_file():
        return frozenset()
    tree = ast.parse(path.read_text(encoding="utf-8"))
    kinds = (ast.FunctionDef, ast.AsyncFunctionDef)
    return frozenset(node.name for node in ast.walk(tree) if isinstance(node, kinds))


def missing(row: str) -> list[str]:
    """Tests that a row names and that are not there; a row without any has `none`."""
    named = NAMED.findall(row)
    return [f"{file}::{name}" for file, name in named if name not in defined_in(file)] or (
        [] if named else ["none"]
    )


def test_every_test_that_is_named_is_there() -> None:
    for heading in ("Findings", "Promises of SECURITY.md"):
        assert {first: gone for first, row in rows(heading).items() if (gone := missing(row))} == {}


def test_every_finding_has_its_row() -> None:
    told = {first.partition(":")[0] for first in rows("Findings")}
    wanted = {
        f"{page}{'' if page.endswith('A') else ' '}{n}" for page, numbers in FINDINGS.items() for n in numbers
    }
    assert told == wanted


def test_every_promise_has_its_row() -> None:
    page = (ROOT / "SECURITY.md").read_text(encoding="utf-8")
    promises = page.partition("## What it does\n")[2].partition("\n## ")[0]
    told = list(rows("Promises of SECURITY.md"))
    made = [
        line.removeprefix("- ").replace("**", "") for line in promises.splitlines() if line.startswith("- ")
    ]
    assert len(made) == len(told)
    assert [promise for promise in made if not any(promise.startswith(first) for first in told)] == []


def test_the_checks_above_would_notice() -> None:
    assert missing("| x | `tests/test_trials_page.py::test_of_nothing` |")
    assert missing("| x | `tests/test_nowhere.py::test_of_nothing` |")
    assert missing("| x | later |") == ["none"]
    assert not missing("| x | `tests/test_trials_page.py::test_the_checks_above_would_notice` |")
