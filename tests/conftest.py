"""What every test may ask for, and the lines that `make chaos` ends with."""

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
