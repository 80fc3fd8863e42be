"""Several sources as one, in the proportion of their weights: as much as there is of it, nothing twice."""

import hashlib
from collections.abc import Iterator, Sequence

from trainer.data.blocks import cut
from trainer.data.progress import Pulse
from trainer.data.sources.source import Document, TextSource
from trainer.data.stamps import Stamp

FORMAT = "mixture 1"
PIECE = 16 << 10
"""Bytes that are taken of a source at a time; its documents are cut at the ends of paragraphs."""


class Mixture:
    """At every place, the bytes so far are in proportion to the weights, to within a piece.

    It ends where the first source does: a text that was read again would lie in training and in validation.
    """

    whole = False

    def __init__(self, parts: Sequence[tuple[float, TextSource]]) -> None:
        """Mix sources, each with its weight above 0."""
        self._parts = list(parts)
        self.name = ", ".join(f"{weight:g}*{source.name}" for weight, source in self._parts)
        self.notes: list[str] = []

    def stamp(self) -> Stamp:
        """See `TextSource`."""
        stamps = [source.stamp() for _, source in self._parts]
        digest = hashlib.sha256(self._head())
        for one in stamps:
            digest.update(one.digest.encode())
        return Stamp(digest.hexdigest(), all(one.settled for one in stamps))

    def content_hash(self, pulse: Pulse) -> str:
        """See `TextSource`."""
        digest = hashlib.sha256(self._head())
        for _, source in self._parts:
            digest.update(source.content_hash(pulse).encode())
        return digest.hexdigest()

    def documents(self, pulse: Pulse) -> Iterator[Document]:
        """See `TextSource`."""
        streams = [_pieces(source, pulse) for _, source in self._parts]
        taken = [0] * len(streams)
        while True:
            behind = [done / weight for done, (weight, _) in zip(taken, self._parts, strict=True)]
            turn = behind.index(min(behind))
            piece = next(streams[turn], None)
            if piece is None:
                break
            taken[turn] += len(piece.text.encode())
            yield piece
        self.notes = [note for _, source in self._parts for note in source.notes]
        sizes = ", ".join(
            f"{size:,} bytes of {source.name}" for size, (_, source) in zip(taken, self._parts, strict=True)
        )
        self.notes.append(f"mixed until {self._parts[turn][1].name} was used up: {sizes}")

    def _head(self) -> bytes:
        return f"{FORMAT} {[weight for weight, _ in self._parts]!r}\0".encode()


def _pieces(source: TextSource, pulse: Pulse) -> Iterator[Document]:
    for document in source.documents(pulse):
        for piece in cut(document.text.encode(), PIECE):
            yield Document(piece.decode(), where=document.where)
