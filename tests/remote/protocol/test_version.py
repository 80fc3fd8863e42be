import importlib.metadata

from remote.protocol.version import version


def test_the_version_is_that_of_the_installed_distribution() -> None:
    assert version() == importlib.metadata.version("photinus")
