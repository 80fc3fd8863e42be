"""Link state, run state and data age in words: three facts that no sentence mixes."""

from dataclasses import dataclass

from remote.protocol.errors import Question
from trainer.telemetry.bands import Colour
from tui.store.hosts import HostRecord
from tui.store.runs import RunRecord
from tui.store.words import age, clock, duration, moment

SLOW_RTT_S = 1.0
OVERDUE_S = 3.0  # a ping that has been out for so long makes a link lag


@dataclass(frozen=True, slots=True)
class Fact:
    """Glyph, word and colour, in that order of importance; `detail` where there is room for it."""

    glyph: str
    word: str
    colour: Colour
    detail: str = ""

    @property
    def text(self) -> str:
        """Glyph, word and detail."""
        return " ".join(part for part in (self.glyph, self.word, self.detail) if part)


_LINKS: dict[str, tuple[str, str, Colour]] = {
    "connecting": ("◌", "connecting", "blue"),
    "connected": ("●", "connected", "green"),
    "lagging": ("◑", "lagging", "amber"),
    "lost": ("○", "lost", "red"),
    "retrying": ("↻", "retry", "amber"),
    "needs_passphrase": ("!", "needs passphrase", "amber"),
    "key_unknown": ("!", "host key unknown", "amber"),
    "key_changed": ("✖", "host key changed", "red"),
    "refused": ("✖", "refused", "red"),
}

_ASKED: dict[str, str] = {
    "host_key": "host key unknown",
    "passphrase": "needs passphrase",
    "proxy_command": "proxy to confirm",
}

_STATES: dict[str, tuple[str, Colour]] = {
    "queued": ("◷", "blue"),
    "starting": ("◌", "blue"),
    "running": ("▶", "green"),
    "stopping": ("◪", "amber"),
    "stopped": ("■", "grey"),
    "succeeded": ("✔", "green"),
    "failed": ("✖", "red"),
    "unkillable": ("‼", "red"),
    "died": ("✝", "red"),
    "died_reboot": ("✝", "red"),
    "unsupervised": ("◇", "amber"),
    "awaited": ("◷", "blue"),  # what is watched, from here on
    "writing": ("▶", "green"),
    "silent": ("‖", "amber"),
    "gone": ("✝", "grey"),
}


def link_fact(host: HostRecord, now: float) -> Fact:
    """Can the host be reached."""
    link = host.link
    if host.is_past:
        return Fact("◂", "replay", "violet")
    glyph, word, colour = _LINKS[link.phase]
    match link.phase:
        case "connected":
            return Fact(glyph, word, colour, duration(link.rtt_s) if link.rtt_s is not None else "")
        case "lagging":
            return Fact(glyph, word, colour, duration(_lag(host, now)))
        case "lost":
            return Fact(glyph, word, colour, clock(now - link.since))
        case "retrying":
            left = max(host.link_at + link.retry_in_s - now, 0.0)
            return Fact(glyph, f"retry {link.attempt} in {_soon(left)}", colour, _away(host, now))
        case "connecting":
            stage = f"{word} {link.stage}".rstrip()
            return Fact(glyph, stage, colour, _away(host, now))
        case "refused" if link.question is not None:
            return Fact("!", asked(link.question), "amber")
        case "refused":
            return Fact(glyph, word, colour, link.reason)
    return Fact(glyph, word, colour)


def _soon(seconds: float) -> str:
    """A pause before the next try, in whole seconds once it is at least one."""
    return f"{seconds:.0f} s" if seconds >= 0.95 else f"{seconds:.1f} s"


def _lag(host: HostRecord, now: float) -> float:
    """The round trip where it is slow, else for how long an answer has been awaited."""
    rtt = host.link.rtt_s
    return rtt if rtt is not None and rtt > SLOW_RTT_S else OVERDUE_S + max(now - host.link.since, 0.0)


def _away(host: HostRecord, now: float) -> str:
    return "" if host.away_since is None else f"lost {clock(now - host.away_since)}"


def asked(question: Question) -> str:
    """What a host waits for, in two or three words."""
    return _ASKED[question.kind]


def is_stale(host: HostRecord) -> bool:
    """Whether what is known of the host's runs may no longer be so."""
    return not host.link.is_up


def state_fact(run: RunRecord, host: HostRecord) -> Fact:
    """What the host's own files say of the run; unknown while a run that is not over cannot be asked."""
    state = run.view.state
    if is_stale(host) and not run.view.is_terminal:
        return Fact("?", "unknown", "grey", f"was {state}")
    glyph, colour = _STATES.get(state, ("?", "grey"))
    place = f"place {run.view.place}" if run.view.place else ""
    return Fact(glyph, state.replace("_", " "), colour, place)


def age_fact(received_at: float | None, now: float) -> Fact:
    """When something was received last."""
    if received_at is None:
        return Fact("·", "never", "grey")
    seconds = now - received_at
    return Fact("", age(seconds), "green" if seconds < 10 else "amber" if seconds < 60 else "grey")


def run_age_fact(run: RunRecord, host: HostRecord, now: float) -> Fact:
    """The age of a run's data: that of its host, which tells every change of a run at once.

    A run that says nothing is the business of its lamps; of a host that cannot be reached it is a stale view.
    """
    received_at = run_received_at(run, host)
    if run.offline_at and is_stale(host):
        return Fact("", "offline,", "grey", f"as of {moment(run.offline_at)}")
    if is_stale(host):
        return Fact("", "stale view", "grey", duration(now - received_at))
    return age_fact(received_at, now)


def run_received_at(run: RunRecord, host: HostRecord) -> float:
    """When anything was received of the host last, and so of this run of it."""
    return run.received_at if host.received_at is None else max(run.received_at, host.received_at)


def why_not(host: HostRecord) -> str:
    """Why an act on this host is not possible now; empty where it is."""
    if host.link.is_up:
        return ""
    fact = _LINKS[host.link.phase][1]
    if host.question is not None:
        return f"{host.name} is not reachable: {asked(host.question)}. Press ! to answer"
    because = f" ({host.link.reason})" if host.link.reason else ""
    remedies = {
        "key_changed": "What to do: press !",
        "refused": "8 tests it, deploys to it; R tries again",
    }
    remedy = remedies.get(host.link.phase, "Press R to reconnect")
    return f"{host.name} is not reachable: link {fact}{because}. {remedy}"
