"""Asking a host, over its session, what is deployed there, and having what nothing needs taken away."""

from dataclasses import dataclass
from typing import Any

from remote.deploy.up_to_date import SENTENCES
from remote.deploy.wheel import our_wheel
from remote.protocol.errors import ProtocolError
from remote.protocol.views import checked

CHECK_S, CLEAN_S = 15.0, 120.0


@dataclass(frozen=True, slots=True)
class Kept:
    """An environment on the host; `why` it is kept: empty, and the next cleaning takes it."""

    env: str
    version: str
    torch: str
    by: str
    at: float
    why: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Deployed:
    """What is deployed on a host.

    Attributes:
        verdict: `same`, `older`, `newer`, `other` or `none`; `sentence` says it in words.
        env, wheel, version: of the environment whose agent answered.
        ours: the version that this client would deploy.
    """

    verdict: str
    sentence: str
    env: str
    wheel: str
    version: str
    ours: str
    environments: tuple[Kept, ...]


@dataclass(frozen=True, slots=True)
class Swept:
    """What a cleaning did, or (with `dry_run`) would do."""

    kept: tuple[str, ...]
    removed: tuple[str, ...]
    bytes: int
    dry_run: bool


def check(session: Any, timeout: float = CHECK_S) -> Deployed:
    """Whether the host has what this client would deploy.

    Raises:
        CallError: it was not reached, or refused.
        ProtocolError: the answer makes no sense.
    """
    wheel = our_wheel()
    args = {"wheel": wheel.sha256, "version": wheel.version}
    raw = session.call("deploy-check", args, timeout)
    verdict = checked(raw, "verdict", (str,))
    if verdict not in SENTENCES:
        raise ProtocolError("the host's verdict on its deploy is none that we know")
    return Deployed(
        verdict=verdict,
        sentence=SENTENCES[verdict],
        env=checked(raw, "env", (str,)),
        wheel=checked(raw, "wheel_sha256", (str,)),
        version=checked(raw, "version", (str,)),
        ours=wheel.version,
        environments=tuple(_kept(row) for row in checked(raw, "environments", (list,))),
    )


def clean(session: Any, *, dry_run: bool = True, timeout: float = CLEAN_S) -> Swept:
    """Have the host remove the environments and wheels that nothing needs.

    Raises:
        CallError: it was not reached, or refused.
        ProtocolError: the answer makes no sense.
    """
    raw = session.call("deploy-clean", {"dry_run": dry_run}, timeout)
    return Swept(
        kept=_texts(raw.get("kept")),
        removed=_texts(raw.get("removed")),
        bytes=checked(raw, "bytes", (int,)),
        dry_run=checked(raw, "dry_run", (bool,)),
    )


def _kept(row: object) -> Kept:
    if not isinstance(row, dict):
        raise ProtocolError("an environment must be an object")
    texts = {name: checked(row, name, (str,)) for name in ("env", "version", "torch", "by")}
    return Kept(at=checked(row, "at", (float,)), why=_texts(row.get("kept")), **texts)


def _texts(raw: object) -> tuple[str, ...]:
    return tuple(str(item) for item in raw) if isinstance(raw, list) else ()
