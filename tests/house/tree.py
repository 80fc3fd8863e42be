"""The tree as git knows it: what the tests of this folder look at."""

import ast
import subprocess
import tomllib
from collections.abc import Iterator
from functools import cache
from pathlib import Path

ROOT = Path(__file__).parents[2]
PACKAGES = ("trainer", "remote", "tui")


@cache
def tracked() -> tuple[str, ...]:
    """Every path of the checkout that is, or would be, committed."""
    words = ["git", "ls-files", "--cached", "--others", "--exclude-standard", "-z"]
    listed = subprocess.run(words, cwd=ROOT, capture_output=True, text=True, check=True).stdout
    return tuple(sorted({name for name in listed.split("\0") if name and (ROOT / name).exists()}))


def modules(package: str) -> Iterator[Path]:
    """The modules of a package, relative to the checkout, without `__init__` and `__main__`."""
    for path in sorted((ROOT / package).rglob("*.py")):
        if not path.stem.startswith("__"):
            yield path.relative_to(ROOT)


def public_classes(path: Path) -> list[str]:
    """The names of a module's public classes."""
    tree = ast.parse((ROOT / path).read_text(encoding="utf-8"))
    return [
        node.name for node in tree.body if isinstance(node, ast.ClassDef) and not node.name.startswith("_")
    ]


@cache
def room_lines() -> tuple[str, ...]:
    """What pyproject.toml says of each room: `room -> what it may import`."""
    config = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    contracts = config["tool"]["importlinter"]["contracts"]
    return tuple(line for one in contracts if one["type"] == "allow_list" for line in one["rooms"])
