"""From a source to a filled cache entry: read, cut, split, learn a tokenizer, encode, count."""

import time
from collections.abc import Iterable
from pathlib import Path

import numpy as np

from trainer.config.data import DataConfig
from trainer.data.blocks import SEPARATOR, choose_validation
from trainer.data.cache.cache import record, write_meta
from trainer.data.cache.spool import Spool, SpooledBlock
from trainer.data.data_errors import DataError
from trainer.data.floors import count_floors
from trainer.data.prepared_corpus import TOKEN, TOKENIZER, TRAIN, VAL, Meta
from trainer.data.progress import Pulse
from trainer.data.sources.source import TextSource
from trainer.data.tokenizers.bpe_learner import learn
from trainer.data.tokenizers.tokenizer import ByteTokenizer, Tokenizer

FEWEST_BYTES = 8 << 10
SPOOL = "documents.txt"


def fill_entry(
    folder: Path,
    source: TextSource,
    config: DataConfig,
    fingerprint: str,
    settings: dict[str, str],
    pulse: Pulse,
    given: Tokenizer | None = None,
) -> None:
    """Write the files of one cache entry into `folder`, by a tokenizer that is given, or the configuration's.

    Raises:
        DataError: if the source cannot be read or holds too little text.
        Stopped: if a stop was asked for.
    """
    spool = Spool(folder / SPOOL)
    spool.fill(source, config.max_mb * 1e6, pulse)
    blocks = spool.blocks(source.whole, config.block_kib << 10, pulse)
    _check_enough(blocks, source)
    train, val = split(blocks, config.val_fraction)
    train_bytes, val_bytes = (sum(block.length + len(SEPARATOR) for block in side) for side in (train, val))
    tokenizer: Tokenizer = given or ByteTokenizer()
    if config.tokenizer == "bpe" and given is None:
        tokenizer = learn(spool.texts(train), train_bytes, config.vocab, pulse)
    (folder / TOKENIZER).write_bytes(tokenizer.to_json())
    total = train_bytes + val_bytes
    starts = encode(folder / TRAIN, spool.texts(train), tokenizer, pulse, 0, total)
    val_starts = encode(folder / VAL, spool.texts(val), tokenizer, pulse, train_bytes, total)
    spool.path.unlink()
    sides = [np.memmap(folder / name, TOKEN, "r") for name in (TRAIN, VAL)]
    floors = count_floors(sides[0], sides[1], tokenizer.vocab_size, pulse)
    meta = Meta(
        fingerprint=fingerprint,
        source=source.name,
        settings=settings,
        documents=len(spool.lengths),
        duplicates=spool.duplicates,
        blocks=(len(train), len(val)),
        text_bytes=(train_bytes, val_bytes),
        val_starts=val_starts,
        vocab_size=tokenizer.vocab_size,
        floors=floors,
        entropy_rate=sum(spool.nats[block.key] for block in val) / val_bytes if spool.nats else None,
        notes=spool.notes,
        files={name: record(folder / name, pulse) for name in (TRAIN, VAL, TOKENIZER)},
        created=time.time(),
        train_starts=first_blocks(train, starts, spool.lengths) if config.reset == "document" else None,
    )
    write_meta(folder, meta)


def split(blocks: list[SpooledBlock], fraction: float) -> tuple[list[SpooledBlock], list[SpooledBlock]]:
    """Train blocks in document order, and validation blocks in the order of their hashes.

    The hash order makes every prefix of validation a fair sample of it, whatever the corpus begins with.
    """
    by_key = {block.key: block for block in blocks}
    chosen = choose_validation({block.key: block.length for block in blocks}, fraction)
    held_out = set(chosen)
    return [block for block in blocks if block.key not in held_out], [by_key[key] for key in chosen]


def first_blocks(blocks: list[SpooledBlock], starts: list[int], lengths: list[int]) -> list[int]:
    """Return the starts of those blocks that are the first of a document; documents have `lengths` bytes."""
    ends = np.cumsum(lengths)
    documents = np.searchsorted(ends, [block.begin for block in blocks], side="right")
    return [start for start, new in zip(starts, np.diff(documents, prepend=-1), strict=True) if new]


def encode(
    path: Path, texts: Iterable[bytes], tokenizer: Tokenizer, pulse: Pulse, done: int, total: int
) -> list[int]:
    """Write the tokens of all blocks to `path`, each followed by a blank line; return where each begins."""
    starts: list[int] = []
    written = 0
    with path.open("wb") as file:
        for text in texts:
            pulse.beat("encode", done, total)
            whole = text + SEPARATOR
            if isinstance(tokenizer, ByteTokenizer):
                tokens = np.frombuffer(whole, np.uint8).astype(TOKEN)
            else:
                tokens = np.array(tokenizer.encode(whole), TOKEN)
            starts.append(written)
            written += len(tokens)
            file.write(tokens.tobytes())
            done += len(whole)
    pulse.beat("encode", done, total)
    return starts


def _check_enough(blocks: list[SpooledBlock], source: TextSource) -> None:
    held = sum(block.length for block in blocks)
    if held < FEWEST_BYTES or len(blocks) < 2:
        raise DataError(
            f"{source.name} holds only {held} bytes of distinct text, too little to train and to validate on",
            f"give at least {FEWEST_BYTES} bytes, or use the source python-docs",
        )
