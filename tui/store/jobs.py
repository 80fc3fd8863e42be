"""A piece of work on one host that tells of itself line by line: a test, a deploy, a doctor."""

import textwrap
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

from remote.protocol.finding import Finding, ranked
from remote.protocol.results import DoctorAnswer
from remote.protocol.sanitise import clean_line
from tui.store.log_ring import LogRing

Kind = Literal["test", "deploy", "doctor"]
SIGNS: Mapping[str, str] = {"ok": "✔", "warn": "⚠", "bad": "✖", "unknown": "·"}
WIDTH, INDENT = 64, 15


@dataclass(slots=True)
class HostJob:
    """What was begun on a host, and everything it has said so far. `ended`: None while it goes on."""

    kind: Kind
    host: str
    begun: float
    lines: LogRing = field(default_factory=lambda: LogRing(5000))
    ended: float | None = None
    ok: bool = False

    def say(self, text: str) -> None:
        """One more line; a sentence that is longer than the narrowest pane goes on below itself."""
        text = clean_line(text)
        under = " " * (INDENT if text[:1] in SIGNS.values() else len(text) - len(text.lstrip()))
        for line in textwrap.wrap(
            text, WIDTH, subsequent_indent=under, break_long_words=False, break_on_hyphens=False
        ) or [""]:
            self.lines.note(line)

    def step(self, ok: bool | None, name: str, text: str, remedy: str = "", ms: float | None = None) -> None:
        """One step of a test, with what would help where it failed."""
        sign = SIGNS["unknown" if ok is None else "ok" if ok else "bad"]
        took = f"  ({ms:.0f} ms)" if ms is not None and " ms" not in text else ""
        self.say(f"{sign} {name:<12} {text}{took}".rstrip())
        if remedy and not ok:
            self.say(f"{'':{INDENT}}{remedy}")

    def end(self, ok: bool, text: str, at: float) -> None:
        """It is over."""
        self.say(f"{SIGNS['ok' if ok else 'bad']} {text}")
        self.ended, self.ok = at, ok


def findings(answer: DoctorAnswer) -> list[Finding]:
    """What a host's doctor found, the worst first."""
    return ranked(row.finding() for row in answer.findings)


def finding_lines(found: Finding) -> list[str]:
    """A finding as lines: what, why, and what would mend it."""
    sign = SIGNS[{"problem": "bad", "warning": "warn", "note": "unknown"}[found.level]]
    return [
        f"{sign} {found.about}: {found.what}",
        *(f"    {text}" for text in (found.why, found.remedy) if text),
    ]
