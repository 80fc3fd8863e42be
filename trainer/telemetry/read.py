"""Reading `events.jsonl`: bytes in, frozen events out. Torn and foreign lines are counted and skipped."""

from collections.abc import Callable, Mapping
from math import fsum, inf
from types import NoneType
from typing import Any

import msgspec

from trainer.telemetry.events import (
    COUNT_MAX,
    TIME_MAX,
    TYPE_NAMES,
    Envelope,
    Evaluation,
    Event,
    Metrics,
    Number,
    Probe,
    Unknown,
)

LINE_LIMIT = 1 << 20
BROKEN = (msgspec.DecodeError, UnicodeDecodeError, RecursionError)  # what no JSON raises
_TIMES = frozenset({int, float})
_NUMBERS = frozenset({int, float, NoneType})
_PLAIN: dict[str, Any] = {
    name: kind for kind, name in TYPE_NAMES.items() if kind not in (Metrics, Evaluation, Probe)
}
_DECODER = msgspec.json.Decoder()
_ENVELOPE = tuple(Envelope.__dataclass_fields__)


class MalformedEventError(ValueError):
    """A JSON line that is no event: a field is missing or of the wrong kind."""


def _numbers(raw: dict[str, Any]) -> Mapping[str, float | None]:
    """What is left of a row once the envelope is taken: numbers by name. Texts and flags are dropped."""
    if not _NUMBERS.issuperset(map(type, raw.values())):
        raw = {key: value for key, value in raw.items() if type(value) in _NUMBERS}
    try:
        fsum(filter(None, raw.values()))  # a whole number that no float can hold overflows here
    except OverflowError:
        return {key: None if value is None else _float(value) for key, value in raw.items()}
    return raw


def _float(value: float) -> float:
    """A float; a whole number beyond every float is infinite."""
    try:
        return float(value)
    except OverflowError:
        return inf if value > 0 else -inf


def _names(value: object) -> tuple[str, ...]:
    return tuple(str(name) for name in value) if isinstance(value, list) else ()


# A frozen dataclass's __init__ takes longer than decoding its line: the hot type's slots are set directly.
_NEW = object.__new__
_SEQ, _ATTEMPT, _T, _STEP, _VALUES, _NONFINITE, _U_STAT = (
    getattr(Metrics, name).__set__
    for name in ("seq", "attempt", "t", "step", "values", "nonfinite", "u_stat")
)


def _metrics(raw: dict[str, Any]) -> Metrics:
    take, row = raw.pop, _NEW(Metrics)
    seq, attempt, t, step = take("seq"), take("attempt"), take("t", 0.0), take("step")
    if not (type(seq) is type(attempt) is type(step) is int and type(t) in _TIMES):
        raise MalformedEventError("seq, attempt and step must be whole numbers, t a number")
    if not (0 <= seq <= COUNT_MAX and 0 <= attempt <= COUNT_MAX and 0 <= step <= COUNT_MAX):
        raise MalformedEventError("seq, attempt or step is out of range")
    if not 0 <= t <= TIME_MAX:
        raise MalformedEventError("t is out of range")
    u_stat = take("u_stat", "median")
    if type(u_stat) is not str:
        raise MalformedEventError("u_stat must be text")
    _SEQ(row, seq)
    _ATTEMPT(row, attempt)
    _T(row, t)
    _STEP(row, step)
    _NONFINITE(row, _names(take("nonfinite")) if "nonfinite" in raw else ())
    _U_STAT(row, u_stat)
    _VALUES(row, _numbers(raw))
    return row


def _evaluation(raw: dict[str, Any]) -> Evaluation:
    head = msgspec.convert({name: raw.pop(name) for name in _ENVELOPE if name in raw}, Envelope)
    return Evaluation(
        seq=head.seq,
        attempt=head.attempt,
        t=head.t,
        step=head.step,
        nonfinite=_names(raw.pop("nonfinite", None)),
        best=bool(raw.pop("best", False)),
        values=_numbers(raw),
    )


def _probe(raw: dict[str, Any]) -> Probe:
    head = msgspec.convert({name: raw.pop(name) for name in _ENVELOPE if name in raw}, Envelope)
    layers = msgspec.convert(raw.pop("layers", {}), dict[str, tuple[Number, ...]])
    return Probe(
        seq=head.seq,
        attempt=head.attempt,
        t=head.t,
        step=head.step,
        nonfinite=_names(raw.pop("nonfinite", None)),
        layers=layers,
        values=_numbers(raw),
    )


def _unknown(kind: str, raw: dict[str, Any]) -> Unknown:
    head = msgspec.convert({name: raw.pop(name) for name in _ENVELOPE if name in raw}, Envelope)
    return Unknown(seq=head.seq, attempt=head.attempt, t=head.t, step=head.step, type=kind, data=raw)


def build(raw: object) -> Event:
    """Freeze one decoded line.

    Raises:
        MalformedEventError: no object with `type`, `seq`, `attempt` and `t`, or a field of the wrong kind.
    """
    try:
        kind = raw.pop("type")  # type: ignore[attr-defined]
        if kind == "metrics":
            return _metrics(raw)  # type: ignore[arg-type]
        if kind == "eval":
            return _evaluation(raw)  # type: ignore[arg-type]
        if kind == "probe":
            return _probe(raw)  # type: ignore[arg-type]
        if kind in _PLAIN:
            event: Event = msgspec.convert(raw, _PLAIN[kind])
            return event
        return _unknown(str(kind), raw)  # type: ignore[arg-type]
    except MalformedEventError:
        raise
    except (AttributeError, KeyError, TypeError, ValueError, OverflowError) as error:
        raise MalformedEventError(f"no event of ours: {str(error)[:200]}") from error


def decode(line: bytes) -> Event | None:
    """One line of `events.jsonl`, or None for a torn or foreign one."""
    try:
        return build(_DECODER.decode(line))
    except (*BROKEN, MalformedEventError):
        return None


class EventReader:
    """Turns chunks of `events.jsonl`, cut anywhere, into events.

    Attributes:
        torn: lines that were no JSON: cut by a crash, and closed by the next attempt.
        malformed: JSON lines that were no event.
        unknown: events of a type that this version does not know; they are passed on as `Unknown`.
    """

    def __init__(self, *, mid_line: bool = False) -> None:
        """Start at a line's beginning, or with `mid_line` anywhere: text before the first newline goes."""
        self.torn = 0
        self.malformed = 0
        self.unknown = 0
        self._rest = b""
        self._skipping = mid_line

    def feed(self, data: bytes) -> list[Event]:
        """Events of every line that `data` completes."""
        whole, newline, rest = (self._rest + data).rpartition(b"\n")
        self._rest = rest
        if len(rest) > LINE_LIMIT:
            self._rest, self._skipping, self.torn = b"", True, self.torn + 1
        if not newline:
            if self._skipping:
                self._rest = b""
            return []
        if self._skipping:
            _, _, whole = whole.partition(b"\n")
            self._skipping = False
        return self._lines(whole)

    def finish(self) -> list[Event]:
        """The end of the file: an unfinished last line counts as torn unless it happens to be whole."""
        rest, self._rest = self._rest, b""
        return self._lines(rest) if rest.strip() and not self._skipping else []

    def _lines(self, whole: bytes) -> list[Event]:
        try:
            rows = _DECODER.decode_lines(whole)
        except BROKEN:
            return self._one_by_one(whole.split(b"\n"))
        return self._events(rows, build)

    def _one_by_one(self, lines: list[bytes]) -> list[Event]:
        rows = []
        for line in lines:
            if not line.strip():
                continue
            try:
                rows.append(_DECODER.decode(line))
            except BROKEN:
                self.torn += 1
        return self._events(rows, build)

    def _events(self, rows: list[Any], make: Callable[[object], Event]) -> list[Event]:
        events: list[Event] = []
        for raw in rows:
            try:
                event = make(raw)
            except MalformedEventError:
                self.malformed += 1
                continue
            self.unknown += type(event) is Unknown
            events.append(event)
        return events
