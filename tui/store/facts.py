"""Link state, run state and data age in words: three facts that no sentence mixes."""

from dataclasses import dataclass

from trainer.telemetry.bands import Colour
from tui.store.hosts import HostRecord
from tui.store.runs import RunRecord
from tui.store.words import age, duration


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


_LINKS: dict[str, tuple[str, Colour]] = {
    "connecting": ("◌", "blue"),
    "connected": ("●", "green"),
    "lagging": ("◑", "amber"),
    "lost": ("○", "red"),
    "retrying": ("◌", "amber"),
    "refused": ("✖", "red"),
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
}


def link_fact(host: HostRecord, now: float) -> Fact:
    """Can the host be reached."""
    link = host.link
    glyph, colour = _LINKS[link.phase]
    if link.is_up:
        return Fact(glyph, link.phase, colour, duration(link.rtt_s) if link.rtt_s is not None else "")
    if link.phase == "lost":
        return Fact(glyph, link.phase, colour, duration(now - link.since))
    if link.phase == "retrying":
        return Fact(glyph, f"retry {link.attempt}", colour, f"lost {duration(now - link.since)}")
    return Fact(glyph, link.phase, colour, link.reason)


def state_fact(run: RunRecord, host: HostRecord) -> Fact:
    """What the host's own files say of the run; unknown while a run that is not over cannot be asked."""
    state = run.view.state
    if not host.link.is_up and not run.view.is_terminal:
        return Fact("?", "unknown", "grey", f"was {state}")
    glyph, colour = _STATES.get(state, ("?", "grey"))
    return Fact(glyph, state.replace("_", " "), colour)


def age_fact(heard_at: float | None, now: float) -> Fact:
    """When something was heard last."""
    if heard_at is None:
        return Fact("·", "never", "grey")
    seconds = now - heard_at
    return Fact("", age(seconds), "green" if seconds < 10 else "amber" if seconds < 60 else "grey")


def why_not(host: HostRecord) -> str:
    """Why an act on this host is not possible now; empty where it is."""
    if host.link.is_up:
        return ""
    because = f" ({host.link.reason})" if host.link.reason else ""
    return f"{host.name} is not reachable: link {host.link.phase}{because}. Press R to reconnect"
