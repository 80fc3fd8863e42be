"""What `doctor` says: in words what is wrong, why, and what it would do. It never does it."""

from collections.abc import Iterable
from dataclasses import asdict, dataclass
from typing import Any, Literal

Level = Literal["problem", "warning", "note"]
LEVELS: tuple[Level, ...] = ("problem", "warning", "note")


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """One thing that was found.

    Attributes:
        level: `problem`: something is broken or blocked; `warning`: it will be, or may; `note`: good to know.
        about: what it is about, in a word or two: `lock cpu`, a run id, `disk`.
        what, why: a sentence each.
        remedy: a command, or a sentence where there is none.
    """

    level: Level
    about: str
    what: str
    why: str = ""
    remedy: str = ""

    def to_json(self) -> dict[str, Any]:
        """Plain values for the wire and for scripts."""
        return asdict(self)


def ranked(findings: Iterable[Finding]) -> list[Finding]:
    """Problems first, then warnings, then notes; in each group as they were found."""
    return sorted(findings, key=lambda one: LEVELS.index(one.level))


def is_healthy(findings: Iterable[Finding]) -> bool:
    """Whether there is nothing but notes."""
    return all(one.level == "note" for one in findings)
