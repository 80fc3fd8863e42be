"""The health bands in force: those that ship, and an operator's own on top."""

from remote.hosts.client_state import client_folder
from trainer.config.locate import configs_dir
from trainer.telemetry.bands import Bands, load

SHIPPED = "kssm.yaml"


def health_bands() -> Bands:
    """Every file of `configs/health`, then every file of `client/health` in the state root, by name.

    Raises:
        BandsError: a file is wrong; the message names it and the place.
    """
    shipped = configs_dir() / "health"
    own = client_folder("health")
    others = sorted(path for path in shipped.glob("*.yaml") if path.name != SHIPPED)
    return load(shipped / SHIPPED, *others, *sorted(own.glob("*.yaml")))
