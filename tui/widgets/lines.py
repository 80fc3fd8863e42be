"""Assembling a line of text from styled parts. Plain text only: nothing from a host is read as markup."""

from rich.style import Style
from rich.text import Text

from remote.protocol.sanitise import clean_line, steers
from trainer.telemetry.judge import LampReading
from tui.store.facts import Fact
from tui.theme import DIM, PLAIN, hue

Part = tuple[str, Style]


def line(*parts: Part) -> Text:
    """One line that is cut, never wrapped.

    Texts are cleaned where they come in; this is the second wall, for one that came in by another door.
    """
    safe = [(clean_line(text), style) if steers(text) else (text, style) for text, style in parts]
    return Text.assemble(*safe, no_wrap=True, overflow="ellipsis", end="")


def lines(rows: list[Text]) -> Text:
    """Several lines as one text."""
    return Text("\n", no_wrap=True, overflow="ellipsis").join(rows)


def fact(found: Fact, *, detail: bool = True) -> Text:
    """Glyph, word and, in a quieter tone, the detail."""
    head = f"{found.glyph} {found.word}".strip()
    tail = f" {found.detail}" if detail and found.detail else ""
    return line((head, hue(found.colour)), (tail, DIM))


def lamp(verdict: LampReading) -> Part:
    """Glyph and word of a lamp in its colour."""
    return f"{verdict.glyph} {verdict.word}", hue(verdict.colour, bold=verdict.severity == "bad")


def quiet(text: str) -> Part:
    """A part that recedes."""
    return text, DIM


def plain(text: str) -> Part:
    """An ordinary part."""
    return text, PLAIN
