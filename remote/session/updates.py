"""What a session tells its owner: typed, in order, taken with `Session.drain`."""

from collections import deque
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TypeAlias

from remote.protocol.messages import Cursor
from remote.protocol.results import HostLoad
from remote.protocol.views import HostHello, RunView
from remote.session.link.link_state import LinkState

UPDATES_MAX = 20_000  # waiting for an owner who does not drain


@dataclass(frozen=True, slots=True)
class LinkChanged:
    """The link's phase, round trip or reason changed. `back_after_s`: how long it had been away."""

    link: LinkState
    back_after_s: float | None = None


@dataclass(frozen=True, slots=True)
class Recovered:
    """After a lost link every followed file has caught up with what the host had when it was back.

    Attributes:
        seconds: how long the link was away.
        lines, runs: log lines that came belatedly, and of how many runs; 0 if nothing was missed.
    """

    seconds: float
    lines: int
    runs: int


@dataclass(frozen=True, slots=True)
class HostSeen:
    """An agent answered hello; `rebooted`: the host was restarted since the last one."""

    hello: HostHello
    rebooted: bool = False


@dataclass(frozen=True, slots=True)
class RunsSeen:
    """The runs of the host, at `wall` (the host's clock, epoch seconds).

    Attributes:
        left_out: how many more there are, which are not among these.
        has_all_live: whether every run that is not over is.
        troubles: a sentence for each run that cannot be read on the host.
        left: of runs that are over, what they left behind that still lives.
    """

    runs: tuple[RunView, ...]
    wall: float
    left_out: int = 0
    has_all_live: bool = True
    troubles: tuple[str, ...] = ()
    left: Mapping[str, Sequence[str]] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class RunChanged:
    """One run is new or its state changed."""

    run: RunView


@dataclass(frozen=True, slots=True)
class Bytes:
    """Bytes [offset, offset + len(data)) of generation `gen` of a followed file, each byte exactly once.

    `at`: when the file was last written, by the host's clock; 0 where the host does not say it.
    They are raw: decode and clean them (`remote.protocol.sanitise`) before they reach a terminal.
    """

    key: int
    run_id: str
    what: str
    gen: int
    offset: int
    data: bytes
    file: str = ""
    at: float = 0.0


@dataclass(frozen=True, slots=True)
class StreamBegin:
    """A file begins to be followed: `before` bytes of it, and of the files before it, will not come."""

    key: int
    run_id: str
    before: int


@dataclass(frozen=True, slots=True)
class Truncated:
    """A followed file was cut or replaced under us; it is read again from its start as generation `gen`."""

    key: int
    run_id: str
    gen: int


@dataclass(frozen=True, slots=True)
class Gap:
    """Of a followed file that may be skipped, `missed` bytes from `start` to `end` were not sent.

    `Session.older` brings them, backwards from `end`.
    """

    key: int
    run_id: str
    start: Cursor
    end: Cursor
    missed: int


@dataclass(frozen=True, slots=True)
class StreamEnd:
    """A followed file is over: its run is terminal and every byte was delivered (or `reason` says why not).

    If the run is resumed the session goes on from here by itself, under the same key.
    """

    key: int
    run_id: str = ""
    reason: str = ""


@dataclass(frozen=True, slots=True)
class Telemetry:
    """A reading of the host's load; None means unknown, never zero."""

    load: HostLoad


@dataclass(frozen=True, slots=True)
class AgentTalk:
    """What the agent, or the shell before it, printed; already cleaned."""

    text: str


Update: TypeAlias = (
    LinkChanged
    | Recovered
    | HostSeen
    | RunsSeen
    | RunChanged
    | Bytes
    | StreamBegin
    | Truncated
    | Gap
    | StreamEnd
    | Telemetry
    | AgentTalk
)


def offer(updates: "deque[Update]", update: RunChanged | RunsSeen | Telemetry | AgentTalk) -> None:
    """Add what the host tells again by itself; while too much waits for its owner it is dropped."""
    if len(updates) < UPDATES_MAX:
        updates.append(update)
