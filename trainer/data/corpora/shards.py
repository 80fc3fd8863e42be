"""Writing texts: a shard has its name only when it is whole and on disk."""

import contextlib
import hashlib
from pathlib import Path
from typing import IO

import msgspec

from trainer.data.corpora.corpus_manifest import SHARDS, CorpusEntry, Record, Shard
from trainer.data.corpora.found import Found
from trainer.run.disk.atomic import fsync_folder, sync_to_disk

SHARD_BYTES = 32 << 20
PART = ".texts.part"


class ShardWriter:
    """Appends texts to one shard after the other in a folder that nobody else writes to."""

    def __init__(self, folder: Path, shard_bytes: int = SHARD_BYTES) -> None:
        self._folder, self._shard_bytes = folder, shard_bytes
        self._file: IO[bytes] | None = None
        self._entries: list[CorpusEntry] = []
        self._digest, self._size = hashlib.sha256(), 0
        (folder / PART).unlink(missing_ok=True)  # of a writer that died

    def write(self, found: Found, entry: CorpusEntry) -> Shard | None:
        """Append a text; return the shard that it filled, if it did.

        Raises:
            OSError: the disk refused; the shard in hand is gone, those before it are not.
        """
        line = msgspec.json.encode(
            Record(found.text, found.where, found.title, found.author, found.book, found.asked)
        )
        try:
            if self._file is None:
                self._file = (self._folder / PART).open("wb")
            self._size += self._file.write(line + b"\n")
        except OSError:
            self.drop()
            raise
        self._digest.update(line + b"\n")
        self._entries.append(entry)
        return self.finish() if self._size >= self._shard_bytes else None

    def finish(self) -> Shard | None:
        """Give the shard in hand its name; None if there is none.

        Raises:
            OSError: as `write`.
        """
        if self._file is None:
            return None
        name = self._next_name()
        try:
            self._file.flush()
            sync_to_disk(self._file.fileno())
            self._file.close()
            (self._folder / PART).rename(self._folder / name)
            fsync_folder(self._folder)
        except OSError:
            self.drop()
            raise
        shard = Shard(name, self._size, self._digest.hexdigest(), self._entries)
        self._file, self._entries = None, []
        self._digest, self._size = hashlib.sha256(), 0
        return shard

    def drop(self) -> None:
        """Forget the shard in hand."""
        if self._file is not None:
            file, self._file = self._file, None
            with contextlib.suppress(OSError):  # what is buffered does not fit either
                file.close()
            (self._folder / PART).unlink(missing_ok=True)
        self._entries = []
        self._digest, self._size = hashlib.sha256(), 0

    def _next_name(self) -> str:
        numbers = [int(path.stem.removeprefix("texts-")) for path in self._folder.glob(SHARDS)]
        return f"texts-{max(numbers, default=0) + 1:05d}.jsonl"
