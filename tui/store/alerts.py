"""What the operator should hear of without looking: endings, numbers that are none, links lost."""

from dataclasses import dataclass
from typing import Literal

from remote.protocol.views import RunView
from tui.store.facts import asked
from tui.store.hosts import AWAY, HostRecord
from tui.store.words import duration

Level = Literal["information", "warning", "error"]

_ENDINGS: dict[str, tuple[Level, str]] = {
    "succeeded": ("information", "finished"),
    "stopped": ("information", "stopped"),
    "failed": ("error", "failed"),
    "died": ("error", "died: its supervisor and its trainer are gone"),
    "died_reboot": ("error", "died when its host was restarted"),
    "unkillable": ("error", "does not die: its device stays locked"),
}


@dataclass(frozen=True, slots=True)
class Alert:
    """One thing to say, once.

    Attributes:
        at: monotonic seconds.
        rule: what found it, in one word.
        occasion: which time that was, the same whenever it is read again; empty where only `at` tells it.
    """

    at: float
    host: str
    run_id: str
    level: Level
    text: str
    rule: str = ""
    occasion: str = ""


def of_state(host: str, view: RunView, name: str, at: float) -> Alert | None:
    """A run reached an ending, or None where the state is no news by itself."""
    if view.state not in _ENDINGS:
        return None
    level, ending = _ENDINGS[view.state]
    text = f"{name} {ending}" + (f": {view.reason}" if view.reason else "")
    return Alert(at, host, view.run_id, level, text, "ended", f"attempt {view.attempt} {view.state}")


def of_bounds(host: str, run_id: str, text: str, at: float) -> Alert:
    """Something was left out: more than a client keeps, or nothing that it understands."""
    return Alert(at, host, run_id, "warning", text, "left_out", text)


def of_question(host: str, asked: str, at: float) -> Alert:
    """A host cannot be reached before the operator has decided something."""
    return Alert(at, host, "", "warning", f"{host}: {asked}. Press ! to answer", "asks")


def of_changed_key(host: str, at: float) -> Alert:
    """A host shows another key than the one that is known: nothing is sent to it."""
    text = f"{host}: host key changed, so nothing was sent. Press ! to see both"
    return Alert(at, host, "", "error", text, "key_changed")


def of_refusal(host: str, reason: str, remedy: str, at: float) -> Alert:
    """A host cannot be used until something is changed: trying again would not help."""
    why = ". ".join(text for text in (reason, remedy) if text)
    return Alert(at, host, "", "warning", f"{host} is refused: {why}", "refused")


def of_link(host: str, lost: bool, reason: str, away_s: float | None, at: float) -> Alert:
    """A link went away or came back."""
    if lost:
        why = f": {reason}" if reason else ""
        text = f"link to {host} lost, its runs are unknown, not dead{why}"
        return Alert(at, host, "", "warning", text, "lost")
    return Alert(at, host, "", "information", f"link to {host} back after {duration(away_s)}", "back")


def of_link_change(record: HostRecord, back_after_s: float | None, at: float) -> Alert | None:
    """What a new state of a host's link is news of, once until it is up again; None where it is none."""
    name, link, question = record.name, record.link, record.question
    if link.phase == "key_changed":
        return of_changed_key(name, at) if record.is_new((link.phase, link.reason)) else None
    if question is not None:
        return of_question(name, asked(question), at) if record.is_new(question) else None
    if link.phase == "refused":
        anew = record.is_new((link.phase, link.reason))
        return of_refusal(name, link.reason, link.remedy, at) if anew else None
    if link.phase in AWAY:
        anew = record.received_at is not None and record.is_new("away")
        return of_link(name, True, link.reason, None, at) if anew else None
    return None if back_after_s is None else of_link(name, False, "", back_after_s, at)
