"""`RUN` may name its host too: `studio:kssm-x7k2p1`, or `studio/kssm-x7k2p1`."""

import argparse

from remote.hosts.host import LOCAL
from remote.protocol.errors import CallError


def split_run(text: str) -> tuple[str, str]:
    """Host (empty if none is named) and run: a run's id has neither of the two signs, a host's name may."""
    place = max(text.rfind(":"), text.rfind("/"))
    return (text[:place], text[place + 1 :]) if place > 0 else ("", text)


def settle_target(args: argparse.Namespace) -> None:
    """Let `args.host` and `args.run` be the host and the run, however they were given.

    Raises:
        CallError: two hosts are named.
    """
    run, host = getattr(args, "run", None), getattr(args, "host", None)
    if not isinstance(run, str):
        return
    named, rest = split_run(run)
    if not named:
        return
    if host not in (None, LOCAL.name, named):
        raise CallError("bad_request", f"both --host {host} and {run!r} name a host", "name it once")
    args.host, args.run = named, rest
