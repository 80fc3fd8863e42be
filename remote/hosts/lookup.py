"""The hosts that can be named on a command line."""

from collections.abc import Sequence
from difflib import get_close_matches

from remote.hosts.host import Host
from remote.hosts.hosts_file import hosts_path, read_hosts
from remote.protocol.errors import CallError


def load_hosts() -> list[Host]:
    """Every host that can be named on a command line: `local` first, then those of hosts.yaml, in its order.

    Raises:
        ConfigError: hosts.yaml is at fault; the message names file, line and remedy.
    """
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
