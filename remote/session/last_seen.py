"""What this client last heard of each host: which machine it is, and what its runs were doing."""

import contextlib
import time
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from typing import Any

from remote.hosts.client_state import client_folder, make_client_folder
from remote.hosts.host import Host
from remote.protocol.views import HostHello, RunView
from remote.session.session import Session
from trainer.run.disk.atomic import read_json, write_json
from trainer.run.run_errors import RunError

FOLDER = "seen"
FRESH_S = 60.0


@dataclass(frozen=True, slots=True, kw_only=True)
class LastSeen:
    """One host as it was at `at` (this machine's clock, epoch seconds).

    Attributes:
        host_id: random, made once on the host: the same id is the same state root under any name.
        live: run id -> state of the runs that were not over.
    """

    name: str
    host_id: str
    version: str = ""
    platform: str = ""
    at: float = 0.0
    live: Mapping[str, str]

    def alike(self, other: "LastSeen") -> bool:
        """Whether nothing but the time differs."""
        return replace(self, at=0.0) == replace(other, at=0.0)


def last_seen_of(name: str, hello: HostHello, runs: Iterable[RunView], now: float) -> LastSeen:
    """A host as its agent and its runs tell it."""
    return LastSeen(
        name=name,
        host_id=hello.host_id,
        version=hello.version,
        platform=hello.platform,
        at=now,
        live={run.run_id: run.state for run in runs if not run.is_terminal},
    )


def note(session: Session) -> None:
    """Remember what this session knows of its host. A laptop whose disk is full forgets, and works on."""
    hello, runs = session.hello, session.known_runs
    if hello is None or runs is None:
        return
    name = session.host.name
    seen, before = last_seen_of(name, hello, runs, time.time()), last_seen(name)
    if before is not None and seen.alike(before) and seen.at - before.at < FRESH_S:
        return
    with contextlib.suppress(OSError):
        write_json(make_client_folder(FOLDER) / f"{name}.json", asdict(seen))


def last_seen(name: str) -> LastSeen | None:
    """What is remembered of a host; None where it never answered, or the note cannot be read."""
    with contextlib.suppress(RunError, OSError, KeyError, TypeError, ValueError):
        raw: Any = read_json(client_folder(FOLDER, f"{name}.json"))
        if raw is not None:
            live = {str(run): str(state) for run, state in dict(raw["live"]).items()}
            texts = {key: str(raw[key]) for key in ("host_id", "version", "platform")}
            return LastSeen(name=name, at=float(raw["at"]), live=live, **texts)
    return None


def twins(name: str, host_id: str, hosts: Sequence[Host]) -> list[str]:
    """The other names under which the same state root is known here."""
    seen = {host.name: last_seen(host.name) for host in hosts if host.name != name}
    return [other for other, one in seen.items() if one is not None and one.host_id == host_id]
