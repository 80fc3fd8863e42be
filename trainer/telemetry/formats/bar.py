"""The progress bar of tqdm, which many trainers draw: how far, of how much, and what is written behind it."""

import re
from typing import NamedTuple

from trainer.telemetry.formats.numbers import NUMBER, measure
from trainer.telemetry.formats.pattern import lazy

NEEDLES = (b"it/s", b"s/it", b"?it")
_BAR = lazy(
    r"(?P<lead>[^|%]{0,80}?)\s?(?P<percent>\d{1,3})%\|[^|]{0,400}\|\s*(?P<done>\d{1,12})/(?P<total>\d{1,12}) "
    r"\[[\d:?]{1,12}<(?:[\d:?]{1,12}|\d{1,6} days?, [\d:]{1,12}),\s+(?:\d[\d.e+]{0,12}|\?)\s?"
    r"(?:it/s|s/it|it|ba/s|ex/s|step/s|s/step)"
    r"(?P<postfix>(?:, [^\]\[]{0,2000})?)\]"
)
_PAIR = lazy(rf"(?:, |^)([\w/.@() -]{{1,60}}?)=\s?({NUMBER}(?:[KMGBT%]|ms|s)?)(?=, |$)")


_LEAD = lazy(r"(?:[\w\[(][^'\"`<>{}]{0,80})?")
_GLUED = lazy(r"(?:\s*|\w.*|[\[{].*|`Trainer\.fit`.*)", re.DOTALL)


class Bar(NamedTuple):
    """One redraw of a bar.

    Attributes:
        lead: what stands before it.
        rest: what stands behind it, in the same redraw.
    """

    lead: str
    done: int
    total: int
    values: dict[str, float]
    rest: str

    @property
    def stands_alone(self) -> bool:
        """Whether it is drawn, maybe with another stream behind it, and not spoken of in a sentence."""
        return _LEAD.fullmatch(self.lead) is not None and _GLUED.fullmatch(self.rest) is not None


def find_bar(text: str) -> Bar | None:
    """The last bar in a line, None where there is none."""
    if "%|" not in text:
        return None
    last = None
    for found in _BAR.finditer(text):
        if found.start() == 0 or text[found.start() - 1] == "]":
            last = found
    if last is None:
        return None
    pairs = {name.strip(): measure(value) for name, value in _PAIR.findall(last["postfix"])}
    values = {name: value for name, value in pairs.items() if value is not None}
    return Bar(last["lead"].strip(), int(last["done"]), int(last["total"]), values, text[last.end() :])
