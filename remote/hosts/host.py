"""The hosts that this client knows. `local`, the machine it runs on, is always there."""

import os
from collections.abc import Sequence
from dataclasses import dataclass
from difflib import get_close_matches
from pathlib import Path
from typing import Literal

from remote.protocol.errors import CallError
from trainer.run.home import state_root


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

    @property
    def is_local(self) -> bool:
        """Whether it is this machine, reached by a pipe."""
        return not self.address

    def home_path(self) -> Path:
        """The state root of a local host, absolute."""
        return Path(self.home).expanduser().absolute() if self.home else state_root(os.environ)


LOCAL = Host("local")


def load_hosts() -> list[Host]:
    """Every host that can be named on a command line: `local` first, then those of hosts.yaml, in its order.

    Raises:
        ConfigError: hosts.yaml is at fault; the message names file, line and remedy.
    """
    from remote.hosts.hosts_file import hosts_path, read_hosts

    return read_hosts(hosts_path())


def find_host(name: str, hosts: Sequence[Host] | None = None) -> Host:
    """The host of that name, of `hosts` or of hosts.yaml.

    Raises:
        CallError: `not_found`; the nearest name is told.
        ConfigError: hosts.yaml is at fault.
    """
    known = {host.name: host for host in (load_hosts() if hosts is None else hosts)}
    if name in known:
        return known[name]
    close = get_close_matches(name, list(known), 1)
    hint = f"did you mean {close[0]!r}? " if close else ""
    listed = ", ".join(list(known)[:12]) + (" ..." if len(known) > 12 else "")
    raise CallError(
        "not_found",
        f"no host is called {name!r}",
        f"{hint}known hosts: {listed}; `photinus hosts add NAME ADDRESS` adds one",
    )


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
