"""Where the shipped configurations lie."""

from pathlib import Path

import trainer

INSTALLED = "configs"


def configs_dir() -> Path:
    """Return the folder `configs`: inside the package in an installation, beside it in a checkout."""
    if trainer.__file__ is None:  # a namespace package: the installation is broken
        raise FileNotFoundError("the package `trainer` has no file; install photinus again")
    package = Path(trainer.__file__).parent
    inside = package / INSTALLED
    return inside if inside.is_dir() else package.parent / "configs"
