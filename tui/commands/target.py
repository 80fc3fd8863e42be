"""`RUN` may name its host too: `studio:kssm-x7k2p1`, or `studio/kssm-x7k2p1`."""

import argparse
from collections.abc import Collection

from remote.hosts.host import LOCAL
from remote.hosts.lookup import load_hosts
from remote.protocol.errors import CallError


def split_run(text: str, known: Collection[str]) -> tuple[str, str]:
    """Host (empty if none is named) and run. Both signs may be part of a run's name, and of a host's.

    The longest beginning that is a known host's name is meant as one; where none is, all of it names a run.
    """
    places = [place for place, sign in enumerate(text) if sign in ":/"]
    place = next((place for place in reversed(places) if text[:place] in known), 0)
    return (text[:place], text[place + 1 :]) if place else ("", text)


def settle_target(args: argparse.Namespace) -> None:
    """Let `args.host` and `args.run` (of `queue`, `args.waiting`) be host and run, however they were given.

    Raises:
        CallError: two hosts are named.
    """
    name = "waiting" if hasattr(args, "waiting") else "run"
    run, host = getattr(args, name, None), getattr(args, "host", None)
    if not isinstance(run, str):
        return
    if ":" not in run and "/" not in run:
        return
    named, rest = split_run(run, {each.name for each in load_hosts()})
    if not named:
        return
    if host not in (None, LOCAL.name, named):
        raise CallError("bad_request", f"both --host {host} and {run!r} name a host", "name it once")
    args.host = named
    setattr(args, name, rest)
