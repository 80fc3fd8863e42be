"""The kernels, from the user's cache: compiled at most once a machine."""

from collections.abc import Iterator

import pytest

from trainer.models import native
from trainer.step.kernels import default_kernel_cache


@pytest.fixture
def kernels() -> Iterator[None]:
    """Native kernels are in use; without a compiler there is nothing to test."""
    before = native.enabled()
    try:
        native.enable(default_kernel_cache())
    except native.NativeUnavailableError as error:
        pytest.skip(str(error))
    yield
    if not before:
        native.disable()
