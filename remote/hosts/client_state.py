"""Where this client keeps what it remembers."""

import os
from pathlib import Path

from trainer.run.home import state_root


def client_folder(*names: str) -> Path:
    """Where this client keeps its own state: under the same root, `$PHOTINUS_HOME` moves everything."""
    return state_root(os.environ).joinpath("client", *names)


def make_client_folder(*names: str) -> Path:
    """The same, made private where it is missing: a root that others could read would be refused later."""
    path = state_root(os.environ)
    path.mkdir(mode=0o700, parents=True, exist_ok=True)
    for name in ("client", *names):
        path /= name
        path.mkdir(mode=0o700, exist_ok=True)
    return path
