"""One alert on its way outward, with the key by which a receiver knows it again."""

import hashlib
from collections.abc import Iterable
from dataclasses import asdict, dataclass, fields, replace
from typing import Any, Literal

from remote.protocol.sanitise import clean_line
from trainer.run.secrets import masked_text

Level = Literal["information", "warning", "error"]
LEVELS: tuple[Level, ...] = ("information", "warning", "error")
TRACE = "Traceback (most recent call last)"
TEXT_MAX, NAME_MAX, TRACE_MAX = 1000, 200, 6000


@dataclass(frozen=True, slots=True)
class Notice:
    """What a person hears; its texts are clean, short, and without what looks like a secret.

    Attributes:
        key: the same for the same occasion, whenever it is found and however often it is sent.
        run: the run's id, empty where it is of the host.
        at: epoch seconds of this machine's clock.
        trace: of a run that failed, its last traceback or the last lines of its log.
    """

    key: str
    host: str
    run: str
    rule: str
    level: Level
    text: str
    at: float
    trace: str = ""

    def to_json(self) -> dict[str, Any]:
        """Plain values."""
        return asdict(self)


def notice(
    host: str, host_id: str, run: str, rule: str, occasion: str, level: Level, text: str, at: float
) -> Notice:
    """A notice of these facts. `host_id`: the host under whatever name, `occasion`: which time it was."""
    key = key_of(host_id or host, run, rule, occasion)
    said = masked_text(clean_line(text[: 2 * TEXT_MAX]))[:TEXT_MAX]
    return Notice(key, _fit(host), _fit(run), _fit(rule), level, said, at)


def traced(one: Notice, lines: Iterable[str]) -> Notice:
    """The notice with the end of a log, from its last traceback on: clean, and without secrets."""
    shown = [masked_text(clean_line(line)) for line in lines]
    begins = max((place for place, line in enumerate(shown) if TRACE in line), default=0)
    return replace(one, trace="\n".join(shown[begins:])[-TRACE_MAX:])


def key_of(host_id: str, run: str, rule: str, occasion: str) -> str:
    """The idempotency key: 32 hexadecimal digits that only these four words give."""
    parts = "".join(f"{len(part)}:{part}" for part in (host_id, run, rule, occasion))
    return hashlib.sha256(parts.encode("utf-8", "replace")).hexdigest()[:32]


def read_notice(raw: object) -> Notice | None:
    """A notice as a file has it, cleaned again; None where it makes no sense."""
    if not isinstance(raw, dict):
        return None
    told = {field.name: raw.get(field.name) for field in fields(Notice)}
    at, trace = told.pop("at"), told.pop("trace")
    if told["level"] not in LEVELS or isinstance(at, bool) or not isinstance(at, int | float):
        return None
    if not all(isinstance(value, str) for value in told.values()):
        return None
    texts = {name: _fit(str(value)) for name, value in told.items() if name not in ("text", "level")}
    text = clean_line(str(told["text"])[:TEXT_MAX])
    read = Notice(**texts, level=told["level"], text=text, at=float(at))
    return traced(read, trace[:TRACE_MAX].split("\n")) if isinstance(trace, str) and trace else read


def is_level(level: Level, least: Level) -> bool:
    """Whether a level is at least another."""
    return LEVELS.index(level) >= LEVELS.index(least)


def _fit(text: str) -> str:
    return clean_line(text[:NAME_MAX])
