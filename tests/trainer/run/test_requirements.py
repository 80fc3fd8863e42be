"""Which torch is warned of."""

from importlib import metadata

import pytest

from trainer.run.requirements import torch_warning


@pytest.mark.parametrize("version", ["2.11.0", "2.13.0+cpu", "2.15.9", "2.14.0a0+git123"])
def test_a_torch_that_the_code_is_written_for_is_not_mentioned(version: str) -> None:
    assert torch_warning(lambda _: version) == ""


@pytest.mark.parametrize("version", ["2.10.1", "2.16.0", "3.0", "1.13.1", "nightly"])
def test_another_torch_is_named_with_the_remedy(version: str) -> None:
    said = torch_warning(lambda _: version)
    assert said.startswith(f"torch {version} is not one")
    assert "pip install 'torch>=2.11,<2.16'" in said


def test_a_torch_without_metadata_is_said_to_be_unknown() -> None:
    def missing(name: str) -> str:
        raise metadata.PackageNotFoundError(name)

    assert "does not say which version" in torch_warning(missing)


def test_the_bounds_are_those_of_the_distribution() -> None:
    wanted = [line for line in metadata.requires("photinus") or [] if line.startswith("torch")]
    assert wanted
    assert all("<2.16" in line and ">=2.11" in line for line in wanted)
