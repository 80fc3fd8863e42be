"""What a corpus holds: shards of texts, which are the truth, and a manifest, an index to be had from them."""

import hashlib
from collections.abc import Iterator
from pathlib import Path

import msgspec

from trainer.data.corpora.found import Found, Skipped
from trainer.data.corpora.gutenberg import is_another
from trainer.data.data_errors import DataError
from trainer.data.display_names import shown
from trainer.run.disk.atomic import write_bytes

FORMAT = 1
MANIFEST = "manifest.json"
SHARDS = "texts-*.jsonl"
MOST_SKIPPED = 1000


class CorpusEntry(msgspec.Struct, frozen=True, omit_defaults=True):
    """One document: SHA-256 and length of its text as UTF-8, and its provenance as in `Found`."""

    sha256: str
    bytes: int
    characters: int
    where: str
    title: str = ""
    author: str = ""
    book: int = 0
    asked: str = ""

    @property
    def name(self) -> str:
        """What to call it."""
        return f"{self.title} ({self.author})" if self.title and self.author else self.title or self.where

    @property
    def is_another(self) -> bool:
        """Whether it is plainly not the book that it was asked for as."""
        return is_another(self.asked.rpartition(" (")[0], self.title)


class Record(msgspec.Struct, frozen=True, omit_defaults=True):
    """One line of a shard; a reader of JSON lines that knows nothing of corpora finds `text`."""

    text: str
    where: str = ""
    title: str = ""
    author: str = ""
    book: int = 0
    asked: str = ""


class Shard(msgspec.Struct, frozen=True):
    """One file of texts, and what lies in it, in order."""

    name: str
    bytes: int
    sha256: str
    documents: list[CorpusEntry]


class CorpusManifest(msgspec.Struct):
    """`manifest.json`.

    Attributes:
        duplicates: Texts dropped because the same one was there already, each time within one gathering.
        skipped: What gave no text, 1,000 at most; `skipped_more` counts the others.
        unfinished: The words of a gathering that was not carried to its end.
    """

    format: int = FORMAT
    name: str = ""
    shards: list[Shard] = []
    duplicates: int = 0
    skipped: list[Skipped] = []
    skipped_more: int = 0
    unfinished: list[str] = []

    @property
    def documents(self) -> Iterator[CorpusEntry]:
        """All of them, in order."""
        for shard in self.shards:
            yield from shard.documents

    @property
    def bytes(self) -> int:
        """Text in all, UTF-8."""
        return sum(entry.bytes for entry in self.documents)

    def skip(self, skipped: Skipped) -> None:
        """Take note of what gave no text, once."""
        if skipped in self.skipped:
            return
        if len(self.skipped) < MOST_SKIPPED:
            self.skipped.append(skipped)
        else:
            self.skipped_more += 1


def entry_of(found: Found) -> CorpusEntry:
    """What the index says of a text."""
    raw = found.text.encode()
    return CorpusEntry(
        sha256=hashlib.sha256(raw).hexdigest(),
        bytes=len(raw),
        characters=len(found.text),
        where=found.where,
        title=found.title,
        author=found.author,
        book=found.book,
        asked=found.asked,
    )


def is_corpus(folder: Path) -> bool:
    """Whether that folder holds one."""
    return (folder / MANIFEST).is_file() or any(folder.glob(SHARDS))


def load(folder: Path) -> CorpusManifest:
    """The index of a corpus; of a shard that it does not know, or that has another length, it is made anew.

    Raises:
        DataError: it was written by a later version, or a shard is damaged.
        OSError: it cannot be read.
    """
    manifest = _stored(folder)
    known = {(shard.name, shard.bytes): shard for shard in manifest.shards}
    manifest.shards = [
        known.get((path.name, path.stat().st_size)) or index(path) for path in sorted(folder.glob(SHARDS))
    ]
    return manifest


def save(folder: Path, manifest: CorpusManifest) -> None:
    """Replace the manifest, at once.

    Raises:
        OSError: the disk refused.
    """
    write_bytes(folder / MANIFEST, msgspec.json.format(msgspec.json.encode(manifest), indent=1) + b"\n")


def index(path: Path) -> Shard:
    """Read a shard and say what lies in it.

    Raises:
        DataError: a line of it is no record.
    """
    entries: list[CorpusEntry] = []
    digest, size = hashlib.sha256(), 0
    with path.open("rb") as file:
        for line in file:
            digest.update(line)
            size += len(line)
            try:
                record = msgspec.json.decode(line, type=Record)
            except (msgspec.MsgspecError, ValueError) as error:
                raise DataError(
                    f"{shown(path)} line {len(entries) + 1} is damaged ({error})",
                    "remove that line or the file, then add its source again",
                ) from error
            fields = {name: getattr(record, name) for name in record.__struct_fields__}
            entries.append(entry_of(Found(**fields)))
    return Shard(path.name, size, digest.hexdigest(), entries)


def _stored(folder: Path) -> CorpusManifest:
    try:
        raw = (folder / MANIFEST).read_bytes()
    except FileNotFoundError:
        return CorpusManifest(name=folder.name)
    try:
        manifest = msgspec.json.decode(raw, type=CorpusManifest)
    except (msgspec.MsgspecError, ValueError):  # the shards say what it said
        return CorpusManifest(name=folder.name)
    if manifest.format > FORMAT:
        raise DataError(
            f"the corpus in {shown(folder)} was written by a later version of photinus", "use that version"
        )
    return manifest
