"""What every test may ask for, and the lines that `make chaos` ends with."""

import gc

from hypothesis import HealthCheck, settings

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

settings.register_profile("house", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("house")  # a loaded machine is no fault of what is tested

gc.disable()  # while the tests are collected: nothing of what is imported is garbage


def pytest_collection_finish() -> None:
    """What a worker has loaded (torch, Textual) outlives every test: the collector walks it no more.

    A fifth of the CPU time of a worker went there.
    """
    gc.freeze()
    gc.set_threshold(20_000, 20, 20)
    gc.enable()
