"""What gathering finds: a text with its provenance, or a reason why there is none."""

from dataclasses import dataclass

import msgspec


@dataclass(frozen=True, slots=True)
class Found:
    """One clean text.

    Attributes:
        text: Decoded, composed, Project Gutenberg's wrapping removed; never empty.
        where: Where it came from, fit to be shown.
        title, author: What its own header says; "" where it has none.
        book: Its number at Project Gutenberg; 0 if it has none.
        asked: The title that it was asked for by; "" where it was asked for by path or number.
    """

    text: str
    where: str
    title: str = ""
    author: str = ""
    book: int = 0
    asked: str = ""


class Skipped(msgspec.Struct, frozen=True):
    """What gave no text, and why.

    Attributes:
        where: The file, member, line or book, fit to be shown.
        because: One sentence with a remedy.
        again: Whether another try may succeed: a book that could not be fetched.
    """

    where: str
    because: str
    again: bool = False

    @property
    def sentence(self) -> str:
        """Both in one."""
        return self.because if self.where in self.because else f"{self.where}: {self.because}"
