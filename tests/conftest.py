"""What every test may ask for, and the lines that `make chaos` ends with."""

from tests.claims import pytest_collection_modifyitems, pytest_configure, pytest_terminal_summary
from tests.sshd.fixtures import laptop, slow_link, sshd, start_sshd, town

__all__ = [
    "laptop",
    "pytest_collection_modifyitems",
    "pytest_configure",
    "pytest_terminal_summary",
    "slow_link",
    "sshd",
    "start_sshd",
    "town",
]
