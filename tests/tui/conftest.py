"""What tests of the cockpit share."""

from pathlib import Path

import pytest

from trainer.config.locate import configs_dir
from trainer.telemetry.bands import Bands, load


@pytest.fixture(scope="session")
def bands() -> Bands:
    """The lamps that ship: frozen, so one for all."""
    return load(configs_dir() / "health" / "kssm.yaml")


@pytest.fixture(autouse=True)
def own_root(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A state root of the test's own: what a person chose and saw is neither read nor changed."""
    monkeypatch.setenv("PHOTINUS_HOME", str(tmp_path / "own-root"))
