"""A host examined: what its agent finds there, and what only a client can see: a clock that is off, say."""

import re
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field, replace

from remote.hosts.host import Host
from remote.protocol.arguments import DoctorArgs, PingArgs
from remote.protocol.errors import CallError
from remote.protocol.finding import Finding, ranked
from remote.protocol.results import DoctorAnswer, FindingRow
from remote.protocol.verbs import DOCTOR, PING
from remote.protocol.version import version
from remote.protocol.views import HostHello
from remote.session.session import Session

QUICK_S = 60.0
DEEP_S = 3600.0
SKEW_S = 2.0
OURS = re.compile(r"photinus (adopt|audit|doctor|events|kill|processes|reap|resume|show|start|stop)\b")


@dataclass(frozen=True, slots=True)
class Diagnosis:
    """What `doctor` says of one host. `facts` are neither right nor wrong: versions and places."""

    findings: tuple[Finding, ...]
    facts: Mapping[str, str] = field(default_factory=dict)
    left_out: int = 0


def examine(session: Session, *, deep: bool = False, clock: Callable[[], float] = time.time) -> Diagnosis:
    """Ask the host, and look from here. Changes nothing on either side.

    Raises:
        CallError: the host was not reached, or did not answer.
        ProtocolError: its answer makes no sense.
    """
    sent = clock()
    wall = session.call(PING, PingArgs(n=0)).wall
    received = clock()
    try:
        answer = session.call(DOCTOR, DoctorArgs(deep=deep), DEEP_S if deep else QUICK_S)
    except CallError as error:
        if error.code not in ("unknown_verb", "incompatible"):
            raise
        answer = DoctorAnswer(findings=[FindingRow(**refused(error).to_json())])
    found = [at(session.host, row.finding()) for row in answer.findings]
    found += skew(session.host.name, wall, sent, received)
    if session.hello is not None:
        found += (at(session.host, one) for one in versions(session.hello))
    return Diagnosis(tuple(ranked(found)), answer.facts, answer.left_out)


def at(host: Host, one: Finding) -> Finding:
    """The finding with a remedy that says where it is to be typed."""
    if not one.remedy:
        return one
    remedy = one.remedy.replace("photinus hosts deploy HOST", f"photinus hosts deploy {host.name}")
    if host.is_local:
        return replace(one, remedy=remedy)
    text = OURS.sub(rf"photinus \1 --host {host.name}", remedy)
    return replace(one, remedy=text if text.startswith("photinus ") else f"on {host.name}: {text}")


def refused(error: CallError) -> Finding:
    """A host that will not talk to us is itself what is wrong."""
    return Finding(
        level="problem",
        about="agent",
        what=error.message,
        why="the agent refused this client before it looked at anything",
        remedy=error.remedy,
    )


def skew(host: str, wall: float, sent: float, received: float) -> Iterator[Finding]:
    """Whether the host's clock differs from ours by more than a round trip can explain."""
    ahead = wall - received if wall > received else wall - sent if wall < sent else 0.0
    if abs(ahead) <= SKEW_S:
        return
    word = "ahead of" if ahead > 0 else "behind"
    yield Finding(
        level="warning",
        about="clock",
        what=f"the clock of {host} is {abs(ahead):,.0f} s {word} this machine's",
        why="ages and times of its runs are shown by its own clock, so they look wrong beside yours",
        remedy="timedatectl set-ntp true (macOS: sudo sntp -sS time.apple.com), where the clock is wrong",
    )


def versions(hello: HostHello) -> Iterator[Finding]:
    """Whether the two ends are of one version."""
    # Behind the + is the hash of a deploy's wheel, which this installation lacks: `deploy --check` compares.
    if hello.version.partition("+")[0] != version().partition("+")[0]:
        yield Finding(
            level="note",
            about="agent",
            what=f"the host runs photinus {hello.version}, this machine {version()}",
            why="they speak the same protocol; what only the newer one knows is refused by the older",
            remedy="photinus hosts deploy HOST",
        )
