"""What every source of text offers."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Protocol

from trainer.data.progress import Pulse
from trainer.data.stamps import Stamp


@dataclass(frozen=True, slots=True)
class Document:
    """One text that belongs together.

    Attributes:
        text: Clean text.
        nats: Its information content under the process that made it, where that process is known.
        where: Where it lay, for people; as it is, so not yet fit for a terminal.
    """

    text: str
    nats: float | None = None
    where: str = ""


class TextSource(Protocol):
    """Text with an identity that changes whenever the text would."""

    name: str
    """What people call it."""
    whole: bool
    """Whether its documents must not be cut."""
    notes: list[str]
    """What was left out and why; complete once `documents` is exhausted."""

    def stamp(self) -> Stamp:
        """Look at the input without reading it.

        Raises:
            DataError: if there is nothing to read.
        """

    def content_hash(self, pulse: Pulse) -> str:
        """SHA-256 over everything that the text depends on: content, settings, and our own format version."""

    def documents(self, pulse: Pulse) -> Iterator[Document]:
        """All documents in a fixed order, duplicates included."""
