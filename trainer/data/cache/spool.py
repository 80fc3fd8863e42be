"""The text of one build on its way to tokens: on disk, so a corpus may be larger than memory."""

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from trainer.data.blocks import block_key, block_limit, cut
from trainer.data.progress import Pulse
from trainer.data.sources.source import TextSource


@dataclass(frozen=True, slots=True)
class SpooledBlock:
    """Where a block lies in the spool, and the key of its content."""

    begin: int
    length: int
    key: bytes


@dataclass(slots=True)
class Spool:
    """Distinct documents one after another in a file.

    Attributes:
        path: The file, UTF-8.
        lengths: Bytes of each document.
        nats: Information content by the key of a document, where its process is known.
        duplicates: Documents and blocks dropped because their text was there already.
        notes: What was left out and why.
    """

    path: Path
    lengths: list[int] = field(default_factory=list)
    nats: dict[bytes, float] = field(default_factory=dict)
    duplicates: int = 0
    notes: list[str] = field(default_factory=list)

    def fill(self, source: TextSource, max_bytes: float, pulse: Pulse) -> None:
        """Read the source: each text once, `max_bytes` at most."""
        seen: set[bytes] = set()
        held = 0
        with self.path.open("wb") as file:
            for document in source.documents(pulse):
                raw = document.text.encode()
                key = hashlib.blake2b(raw, digest_size=16).digest()
                if key in seen:
                    self.duplicates += 1
                    continue
                seen.add(key)
                if held + len(raw) > max_bytes:
                    raw = raw[: int(max_bytes - held)].decode(errors="ignore").encode()
                    self.notes.append(
                        f"stopped reading at {max_bytes / 1e6:g} MB: raise data.max_mb for the rest"
                    )
                if document.nats is not None:
                    self.nats[block_key(raw)] = document.nats
                held += file.write(raw)
                self.lengths.append(len(raw))
                if held >= max_bytes - 4:  # 4: a character that did not fit may have gone
                    break
        self.notes = [*source.notes, *self.notes]

    def blocks(self, whole: bool, largest: int, pulse: Pulse) -> list[SpooledBlock]:
        """Cut the documents into distinct blocks, in document order; `whole` documents stay in one piece."""
        found: dict[bytes, SpooledBlock] = {}
        total, begin = sum(self.lengths), 0
        limit = block_limit(total, largest)
        with self.path.open("rb") as file:
            for length in self.lengths:
                pulse.beat("split", begin, total)
                document = file.read(length)
                at = 0
                for block in (document,) if whole else cut(document, limit):
                    at = document.index(block, at)
                    key = block_key(block)
                    if key in found:
                        self.duplicates += 1
                    found.setdefault(key, SpooledBlock(begin + at, len(block), key))
                    at += len(block)
                begin += length
        return list(found.values())

    def texts(self, blocks: list[SpooledBlock]) -> Iterator[bytes]:
        """The text of each block, in the order asked for."""
        with self.path.open("rb") as file:
            for block in blocks:
                file.seek(block.begin)
                yield file.read(block.length)
