"""What our code needs on a host: a short list, with the versions that were tested."""

import re
from collections.abc import Iterable, Mapping
from functools import cache
from pathlib import Path

from remote.protocol.version import release

PINS = Path(__file__).with_name("pins.txt")
HASHES = Path(__file__).with_name("hashes.txt")
"""Of every published wheel of each pin but torch; written by `make lock`."""
BASE: Mapping[str, str] = {"msgspec": "0.20", "pyyaml": "6.0.2", "psutil": "7.0", "filelock": "3.20"}
TRAIN: Mapping[str, str] = {"torch": "2.11", "numpy": "2.1", "safetensors": "0.6"}
NVIDIA: Mapping[str, str] = {"nvidia-ml-py": "12.575"}
TORCH_NEEDS = (
    *("filelock", "fsspec", "jinja2", "markupsafe", "mpmath", "networkx", "setuptools", "sympy"),
    "typing-extensions",
)
"""Package -> oldest version that will do: no screen and no SSH among them; as in pyproject.toml."""


@cache
def pins() -> Mapping[str, str]:
    """Every package that may be installed on a host, and the version that was tested; names normalised."""
    rows = [row.split("==") for row in PINS.read_text().splitlines() if row.strip()]
    return {normal(name): version.strip() for name, version in rows}


def pinned(name: str) -> str:
    """`name==version`."""
    return f"{name}=={pins()[normal(name)]}"


def locked(needs: Iterable[str], torch: str) -> str:
    """`needs`, and what torch needs where it is installed, each pinned with the hashes of its wheels.

    What has none is left without: the installer then refuses it, and says so.
    """
    names = dict.fromkeys(normal(need.partition("==")[0]) for need in needs)
    names |= dict.fromkeys(TORCH_NEEDS if torch else ())
    return "\n".join(_hashes().get(name, pinned(name)) for name in names)


@cache
def _hashes() -> Mapping[str, str]:
    rows = HASHES.read_text().replace(" \\\n", "").splitlines()
    return {normal(row.partition("==")[0]): row for row in rows if row.strip()}


def normal(name: str) -> str:
    """A package's name as every index compares it."""
    return re.sub(r"[-_.]+", "-", name).lower()


def satisfies(found: str, floor: str) -> bool:
    """Whether an installed version is at least `floor`: by its release numbers; what has none does not."""
    return release(found) >= release(floor)
