"""The hosts that this client knows. `local`, the machine it runs on, is always there."""

import os
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from trainer.run.home import state_root

OWN_MAX = 16 << 20


@dataclass(frozen=True, slots=True)
class Host:
    """A machine that trains.

    Attributes:
        address: empty for this machine.
        home: its state root; empty: `$PHOTINUS_HOME`, else `~/.photinus`, as seen when the link is made.
        python: an interpreter with torch that our environment on the host is to use; empty: we install torch.
            On this machine: what runs the agent; empty: this interpreter.
        torch: which build of torch a deploy installs; empty: by platform and driver; see docs/deploy.md.
        checkpoints: the folder on this machine that `pull` fills; empty: `checkpoints/NAME` of the client.
        auto_pull: `best`: fetch each new best checkpoint while a session is open; empty: nothing.
        confirm: what `x` and `K` ask in the cockpit: nothing, the same key twice, or the run's name typed.
        caffeinate: on macOS, keep the machine awake while a run is going on.
        watch: paths and patterns of files there that somebody else's runs write: shown, and never touched.
    """

    name: str
    address: str = ""
    home: str = ""
    python: str = ""
    torch: str = ""
    checkpoints: str = ""
    auto_pull: Literal["", "best"] = ""
    confirm: Literal["none", "twice", "name"] = "twice"
    caffeinate: bool = True
    watch: tuple[str, ...] = ()

    @property
    def is_local(self) -> bool:
        """Whether it is this machine, reached by a pipe."""
        return not self.address

    def home_path(self) -> Path:
        """The state root of a local host, absolute."""
        return Path(self.home).expanduser().absolute() if self.home else state_root(os.environ)


LOCAL = Host("local")
