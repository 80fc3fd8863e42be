"""Asking a host, over its session, what is deployed there, and having what nothing needs taken away."""

from dataclasses import dataclass
from typing import TYPE_CHECKING

from remote.deploy.wheel import our_wheel
from remote.protocol.arguments import DeployCheckArgs, DeployCleanArgs
from remote.protocol.results import EnvironmentRow
from remote.protocol.verbs import DEPLOY_CHECK, DEPLOY_CLEAN
from remote.protocol.version import SENTENCES

if TYPE_CHECKING:
    from remote.session.session import Session

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


def check(session: "Session", timeout: float = CHECK_S) -> Deployed:
    """Whether the host has what this client would deploy.

    Raises:
        CallError: it was not reached, or refused.
        ProtocolError: the answer makes no sense.
    """
    wheel = our_wheel()
    args = DeployCheckArgs(wheel=wheel.sha256, version=wheel.version)
    state = session.call(DEPLOY_CHECK, args, timeout)
    return Deployed(
        verdict=state.verdict,
        sentence=SENTENCES[state.verdict],
        env=state.env,
        wheel=state.wheel_sha256,
        version=state.version,
        ours=wheel.version,
        environments=tuple(map(_kept, state.environments)),
    )


def clean(session: "Session", *, dry_run: bool = True, timeout: float = CLEAN_S) -> Swept:
    """Have the host remove the environments and wheels that nothing needs.

    Raises:
        CallError: it was not reached, or refused.
        ProtocolError: the answer makes no sense.
    """
    done = session.call(DEPLOY_CLEAN, DeployCleanArgs(dry_run=dry_run), timeout)
    return Swept(tuple(done.kept), tuple(done.removed), done.bytes, done.dry_run)


def _kept(row: EnvironmentRow) -> Kept:
    return Kept(row.env, row.version, row.torch, row.by, row.at, tuple(row.kept))
