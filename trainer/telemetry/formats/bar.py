"""The progress bar of tqdm, which many trainers draw: how far, of how much, and what is written behind it."""

import re
from typing import NamedTuple

from trainer.telemetry.formats.numbers import NUMBER, measure
from trainer.telemetry.formats.pattern import lazy

NEEDLES = (b"%|", b"it/s", b"s/it", b"it [", b"/? [")
_RATE = r"(?:\d[\d.e+]{0,12}[kMG]?|\?)\s?(?:[A-Za-z]{1,12}/s|s/[A-Za-z]{1,12}|it)"
_POSTFIX = r"(?P<postfix>(?:, [^\]\[]{0,2000})?)\]"
_BAR = lazy(
    r"(?P<lead>[^%]{0,80}?)\s?(?P<percent>\d{1,3})%(?:\|[^|]{0,400}\|\s*|\s)"
    r"(?P<done>\d{1,12})/(?P<total>\d{1,12}) "
    rf"\[[\d:?]{{1,12}}<(?:[\d:?]{{1,12}}|\d{{1,6}} days?, [\d:]{{1,12}}),\s+{_RATE}{_POSTFIX}"
)
_ENDLESS = lazy(
    r"(?P<lead>[^%|\[\]]{0,80}?:\s|)(?:\|[^|]{0,400}\|\s*)?(?P<done>\d{1,12})(?:it|/\?) "
    rf"\[[\d:]{{1,12}}(?:<[\d:?]{{1,12}})?,\s+{_RATE}{_POSTFIX}"
)
_FIELD = lazy(r"\s*([A-Za-z_][\w/.@() -]{0,60}?)(?:=\s?|:\s{1,4})(\S{1,40})\s*")
_FIELDS = lazy(r"([A-Za-z_][\w/.@()-]{0,60})(?:=\s?|:\s{1,4})([^\s,|;]{1,40})")
_PARTS = lazy(r"[,|;]")
_LOSS = lazy(
    rf"[,|;(\s-]*(?<![^\W_])((?:[A-Za-z]\w{{0,29}}[ _/-])?loss)(?:\s?[=:]\s{{0,4}}|\s)({NUMBER})"
    r"(?=[\s,|;:)\]]|$)\)?",
    re.IGNORECASE,
)
_LEAD = lazy(r"(?!\d{1,3}\.(?:\s|$))(?:[\w\[(][^'\"`<>{}]{0,80})?")
_GLUED = lazy(r"(?:\s*|\w.*|[\[{].*|`Trainer\.fit`.*)", re.DOTALL)


class Bar(NamedTuple):
    """One redraw of a bar.

    Attributes:
        lead: what stands before it, without losses that it tells.
        total: 0 where it is not known.
        rest: what stands behind it, in the same redraw.
        names: of all that is written behind it, numbers or not.
        is_drawn: whether what stands before it is no quotation mark, no item of a list and no program.
    """

    lead: str
    done: int
    total: int
    values: dict[str, float]
    rest: str
    names: frozenset[str]
    is_drawn: bool

    @property
    def stands_alone(self) -> bool:
        """Whether it is drawn, maybe with another stream behind it, and not spoken of in a sentence."""
        return self.is_drawn and _GLUED.fullmatch(self.rest) is not None


def find_bar(text: str) -> Bar | None:
    """The last bar in a line, None where there is none."""
    if "%|" not in text and ("% " not in text or "<" not in text):
        return _endless(text) if "it [" in text or "/? [" in text else None
    last = None
    for found in _BAR.finditer(text):
        if found.start() == 0 or text[found.start() - 1] == "]":
            last = found
    if last is None:
        return None
    return _read(last, int(last["total"]), text[last.end() :])


def _endless(text: str) -> Bar | None:
    """The bar of what has no known length, `120it [00:40, 2.9it/s, loss=0.7]` or `120/? [...]`."""
    found = _ENDLESS.fullmatch(text.strip())
    bar = _read(found, 0, "") if found is not None else None
    return bar if bar is not None and bar.values else None


def _read(found: re.Match[str], total: int, rest: str) -> Bar:
    written = found["lead"].strip()
    lead, described = _described(written)
    pairs = described | {name: measure(value) for name, value in _pairs(found["postfix"])}
    values = {name: value for name, value in pairs.items() if value is not None}
    is_drawn = _LEAD.fullmatch(written) is not None
    return Bar(lead, int(found["done"]), total, values, rest, frozenset(pairs), is_drawn)


def _pairs(postfix: str) -> list[tuple[str, str]]:
    """What is written behind a bar: `loss=0.5, lr=1e-3`, `loss: 0.5 | acc: 0.5`, `loss=0.5 acc=0.5`."""
    pairs: list[tuple[str, str]] = []
    for part in _PARTS.split(postfix):
        found = _FIELD.fullmatch(part)
        pairs += [(found.group(1), found.group(2))] if found is not None else _FIELDS.findall(part)
    return pairs


def _described(lead: str) -> tuple[str, dict[str, float | None]]:
    """What stands before a bar without the losses that are told there, and those losses."""
    if "oss" not in lead and "OSS" not in lead:
        return lead, {}
    losses = {name.replace(" ", "_"): measure(value) for name, value in _LOSS.findall(lead)}
    return _LOSS.sub("", lead).strip(" :,|;-") if losses else lead, losses
