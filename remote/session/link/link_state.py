"""Can the host be reached: a fact about the link, never about the host's runs."""

import random
from dataclasses import dataclass, field
from typing import Literal

from remote.protocol.errors import Question

Phase = Literal[
    "connecting", "connected", "lagging", "lost", "retrying",
    "refused", "needs_passphrase", "key_unknown", "key_changed",
]  # fmt: skip
HELD: frozenset[Phase] = frozenset({"refused", "needs_passphrase", "key_unknown", "key_changed"})
"""Not retried by itself: the operator decides."""


def held_phase(code: str) -> Phase:
    """The phase of a link that an error holds until the operator decides."""
    return next((phase for phase in HELD if phase == code), "refused")


@dataclass(frozen=True, slots=True)
class LinkState:
    """What the client knows of its link.

    Attributes:
        rtt_s: last round trip, seconds; None before the first.
        since: `time.monotonic()` at which the phase began (`lost`, `retrying`: when the link went away).
        attempt: number of the connect in progress or awaited, from 1; 0 while connected.
        reason, remedy: why it is lost, retrying or refused, and what helps where that is known.
        retry_in_s: while `retrying`, the pause before the next connect.
        stage: while `connecting`, what is being done: `dns`, `tcp`, `ssh`, `auth`, `agent`, or `tcp via HOP`.
        question: what the operator must decide before it is tried again.
    """

    phase: Phase = "connecting"
    rtt_s: float | None = None
    since: float = 0.0
    attempt: int = 1
    reason: str = ""
    retry_in_s: float = 0.0
    stage: str = ""
    question: Question | None = None
    remedy: str = ""

    @property
    def is_up(self) -> bool:
        """Whether verbs can be sent."""
        return self.phase in ("connected", "lagging")


@dataclass(frozen=True, slots=True)
class Timings:
    """Every waiting time of a session, seconds.

    Attributes:
        connect_s: least and most that one attempt to reach the host may take; else thrice the last good one.
        woke_s: after a sleep of our own, the silence that means lost.
        wary_after: how often a host may take a connection and end it before anything is dialled more slowly,
            after the pauses of `wary_s`: a server that turns us away counts each attempt against us.
    """

    ping_s: float = 3.0
    lagging_s: float = 3.0
    slow_rtt_s: float = 1.0
    lost_s: float = 9.0
    hello_s: float = 15.0
    connect_s: tuple[float, float] = (2.0, 15.0)
    woke_s: float = 3.0
    backoff_s: tuple[float, ...] = (0.2, 0.5, 1.0)
    wary_after: int = 3
    wary_s: tuple[float, ...] = (5.0, 15.0, 30.0)
    patient_after_s: float = 300.0
    patient_s: float = 15.0
    jitter: float = 0.1
    sleep_gap_s: float = 5.0
    stall_s: float = 2.0
    refresh_s: float = 30.0


def backoff(
    timings: Timings, attempt: int, away_s: float, chance: float = -1.0, turned_away: int = 0
) -> float:
    """Seconds of pause number `attempt` (1 is the first after a loss), `away_s` after the loss.

    `turned_away`: how often since then the host took the connection and ended it, this time included; 0 if
    this time it was not so.
    """
    steps = timings.backoff_s
    base = timings.patient_s if away_s > timings.patient_after_s else steps[min(attempt, len(steps)) - 1]
    if turned_away >= timings.wary_after:
        base = max(base, timings.wary_s[min(turned_away - timings.wary_after, len(timings.wary_s) - 1)])
    chance = chance if chance >= 0 else random.random()
    return base * (1 + timings.jitter * (2 * chance - 1))


@dataclass(slots=True)
class Absence:
    """How long the host has been away, and when it is tried again.

    Attributes:
        since: when the link went away (or the session began).
        attempt: number of the connect in progress or awaited; 0 while the link is up.
        retry_at: when the next one is due.
    """

    timings: Timings
    since: float
    attempt: int = 1
    retry_at: float = 0.0
    _pauses: int = 0
    _turned_away: int = 0

    def goes_on(self, now: float, *, turned_away: bool = False) -> float:
        """The link was lost, or a connect failed: the pause before the next one, seconds.

        `turned_away`: the host took the connection and ended it before it was of use.
        """
        if self.attempt == 0:
            self.since = now
        self.attempt += 1
        self._pauses += 1
        self._turned_away += turned_away
        count = self._turned_away if turned_away else 0
        pause = backoff(self.timings, self._pauses, now - self.since, turned_away=count)
        self.retry_at = now + pause
        return pause

    def ends(self) -> None:
        """The link is up."""
        self.attempt = self._pauses = self._turned_away = 0


@dataclass(slots=True)
class Pings:
    """The pings of one connection: the only detector of a dead link."""

    timings: Timings
    started: float
    rtt_s: float | None = None
    _received_at: float = field(init=False)
    _next: float = field(init=False)
    _out: dict[int, float] = field(default_factory=dict)
    _n: int = 0
    patience_s: float = field(init=False)

    def __post_init__(self) -> None:
        self._received_at = self._next = self.started
        self.patience_s = self.timings.lost_s

    def due(self, now: float) -> int | None:
        """The number of a ping to send now, or None."""
        if now < self._next:
            return None
        self._next = now + self.timings.ping_s
        self._n += 1
        self._out[self._n] = now
        return self._n

    def pong(self, n: int, now: float) -> None:
        """Ping `n` came back."""
        sent = self._out.pop(n, None)
        if sent is None:
            return
        self.rtt_s, self._received_at, self.patience_s = now - sent, now, self.timings.lost_s
        self._out = {number: at for number, at in self._out.items() if number > n}

    def forgive(self, now: float, *, slept: bool = False) -> None:
        """We ourselves were stopped or asleep: count from now, and ask at once."""
        self._received_at = self._next = now
        if slept:
            self.patience_s = min(self.timings.woke_s, self.timings.lost_s)
        self._out = dict.fromkeys(self._out, now)

    def judge(self, now: float) -> Phase:
        """`connected`, `lagging` or `lost`."""
        waiting = now - min(self._out.values()) if self._out else 0.0
        if waiting and now - self._received_at >= self.patience_s:
            return "lost"
        slow = self.rtt_s is not None and self.rtt_s > self.timings.slow_rtt_s
        return "lagging" if slow or waiting >= self.timings.lagging_s else "connected"

    def next_due(self) -> float:
        """When the next ping is due, monotonic seconds."""
        return self._next
