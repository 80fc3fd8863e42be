"""What a text is made of, counted: documents, characters, splits, floors, tokenizers."""

import heapq
import math
from collections.abc import Iterator
from dataclasses import asdict, dataclass, field
from typing import Any

from msgspec.structs import replace

from trainer.config.data import DataConfig
from trainer.data.corpora.corpus_manifest import entry_of, index, load
from trainer.data.corpora.found import Found
from trainer.data.corpora.named import NamedCorpus
from trainer.data.data_errors import DataError
from trainer.data.display_names import shown
from trainer.data.floors import CountedFloors
from trainer.data.prepare import open_source, prepare
from trainer.data.progress import Pulse
from trainer.data.sources.source import Document

BIGGEST = 5


@dataclass(frozen=True, slots=True)
class Tokenized:
    """The same text under one tokenizer.

    Attributes:
        tokens: In train and in validation.
        blocks: Likewise.
        bytes_per_token: Mean over validation.
        floors: Nats a token.
        trigram_bits_per_byte: The trigram floor, comparable between tokenizers.
    """

    tokenizer: str
    vocab: int
    tokens: tuple[int, int]
    blocks: tuple[int, int]
    text_bytes: tuple[int, int]
    bytes_per_token: float
    floors: CountedFloors
    trigram_bits_per_byte: float


@dataclass(slots=True)
class Stats:
    """Counts of one source.

    Attributes:
        bytes, characters: Of distinct documents, UTF-8.
        distinct: Different characters.
        duplicates: Documents dropped, when it was gathered and now.
        biggest: Names and bytes, the biggest first.
        skipped: What gave no text, and why.
        unfinished: Whether a gathering was not carried to its end.
    """

    name: str
    documents: int = 0
    bytes: int = 0
    characters: int = 0
    distinct: int = 0
    duplicates: int = 0
    biggest: list[tuple[str, int]] = field(default_factory=list)
    tokenized: list[Tokenized] = field(default_factory=list)
    skipped: list[str] = field(default_factory=list)
    skipped_more: int = 0
    notes: list[str] = field(default_factory=list)
    unfinished: bool = False

    def to_json(self) -> dict[str, Any]:
        """Plain values."""
        return asdict(self)


def count(config: DataConfig, vocab: int, pulse: Pulse, *, tokenize: bool = True) -> Stats:
    """Read `config.source` once, then tokenize it with bytes and with byte pairs, through the token cache.

    Args:
        config: What to read and how to split it; its tokenizer does not matter.
        vocab: Tokens of the byte pairs.
        tokenize: False leaves splits, floors and tokenizers out.

    Raises:
        DataError: it cannot be read.
        Stopped: if a stop was asked for.
    """
    source = open_source(config)
    source.stamp()
    stats = Stats(source.name)
    names: dict[str, str] = {}
    if isinstance(source, NamedCorpus):
        names = _from_manifest(source, stats)
    _read(source.documents(pulse), names, stats)
    if not names:  # of a named corpus the manifest has told
        stats.skipped += source.notes
    bytewise = replace(config, tokenizer="byte")
    pairwise = replace(config, tokenizer="bpe", vocab=vocab)
    if tokenize:
        for one in (bytewise, pairwise):
            try:
                stats.tokenized.append(_tokenized(one, pulse))
            except DataError as error:  # too short to be split
                stats.notes.append(str(error))
                break
    return stats


def _from_manifest(source: NamedCorpus, stats: Stats) -> dict[str, str]:
    """What only gathering knew; and the name of each document by its hash."""
    manifest = load(source.path)
    stats.duplicates = manifest.duplicates
    stats.skipped = [one.sentence for one in manifest.skipped]
    stats.skipped_more = manifest.skipped_more
    stats.unfinished = bool(manifest.unfinished)
    stats.notes = [
        f"{entry.asked} is what {entry.where} was asked for as, it is {entry.name}"
        for entry in manifest.documents
        if entry.is_another
    ]
    for shard in manifest.shards:
        if index(source.path / shard.name).sha256 != shard.sha256:
            stats.notes.append(f"{shard.name} was changed since it was gathered; its text now is what counts")
    return {entry.sha256: entry.name for entry in manifest.documents}


def _read(documents: Iterator[Document], names: dict[str, str], stats: Stats) -> None:
    seen: set[str] = set()
    characters: set[str] = set()
    sizes: list[tuple[int, str]] = []
    for document in documents:
        entry = entry_of(Found(document.text, shown(document.where)))
        if entry.sha256 in seen:
            stats.duplicates += 1
            continue
        seen.add(entry.sha256)
        characters.update(document.text)
        stats.documents += 1
        stats.bytes += entry.bytes
        stats.characters += entry.characters
        name = names.get(entry.sha256) or entry.where or f"{shown(document.text[:40])}..."
        heapq.heappush(sizes, (entry.bytes, name))
        if len(sizes) > BIGGEST:
            heapq.heappop(sizes)
    stats.distinct = len(characters)
    stats.biggest = [(name, size) for size, name in sorted(sizes, reverse=True)]


def _tokenized(config: DataConfig, pulse: Pulse) -> Tokenized:
    with prepare(config, progress=pulse.tell, should_stop=pulse.should_stop) as corpus:
        meta, per_token = corpus.meta, corpus.bytes_per_token
        return Tokenized(
            tokenizer=config.tokenizer,
            vocab=corpus.vocab_size,
            tokens=(len(corpus.train), len(corpus.val)),
            blocks=meta.blocks,
            text_bytes=meta.text_bytes,
            bytes_per_token=per_token,
            floors=corpus.floors,
            trigram_bits_per_byte=corpus.floors.trigram / per_token / math.log(2),
        )
