"""Where the shipped configurations lie."""

from pathlib import Path

import trainer


def configs_dir() -> Path:
    """Return the folder `configs`, beside the package in a checkout and in an installation alike."""
    package = trainer.__file__
    if package is None:  # a namespace package: the installation is broken
        raise FileNotFoundError("the package `trainer` has no file; install photinus again")
    return Path(package).parents[1] / "configs"
