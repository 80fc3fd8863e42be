"""What tests of the cockpit share."""

import pytest

from trainer.config.locate import configs_dir
from trainer.telemetry.bands import Bands, load


@pytest.fixture(scope="session")
def bands() -> Bands:
    """The lamps that ship: frozen, so one for all."""
    return load(configs_dir() / "health" / "kssm.yaml")
