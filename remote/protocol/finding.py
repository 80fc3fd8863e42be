"""What `doctor` says: in words what is wrong, why, and what it would do. It never does it."""

from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass
from typing import Any, Literal

from remote.protocol.errors import ProtocolError
from remote.protocol.views import checked

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

    @classmethod
    def from_json(cls, raw: object) -> "Finding":
        """Check and freeze what a host said.

        Raises:
            ProtocolError: malformed.
        """
        if not isinstance(raw, Mapping):
            raise ProtocolError("a finding must be an object")
        level = checked(raw, "level", (str,))
        texts = {name: checked(raw, name, (str,)) for name in ("about", "what", "why", "remedy")}
        return cls(level=level if level in LEVELS else "note", **texts)


def ranked(findings: Iterable[Finding]) -> list[Finding]:
    """Problems first, then warnings, then notes; in each group as they were found."""
    return sorted(findings, key=lambda one: LEVELS.index(one.level))


def is_healthy(findings: Iterable[Finding]) -> bool:
    """Whether there is nothing but notes."""
    return all(one.level == "note" for one in findings)
