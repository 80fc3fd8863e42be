"""What `photinus-train corpus` prints."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

from trainer.run.disk.atomic import NO_SPACE

if TYPE_CHECKING:
    from trainer.data.corpora.gather import GatherResult
    from trainer.data.stats import Stats

SHOWN = 10


def misses(name: str, base: str, outcome: "GatherResult") -> Iterator[str]:
    """For people, on stderr: what gave no text and why, ten at most, and what to do about missing books."""
    is_made = any(outcome.manifest.documents)
    skipped = [one for one in outcome.skipped if not one.again]
    for one in skipped[:SHOWN]:
        yield f"skipped: {one.sentence}"
    if len(skipped) > SHOWN:
        where = f"; `photinus-train corpus stats {name}` lists them" if is_made else ""
        yield f"... and {len(skipped) - SHOWN:,} more{where}"
    for entry in outcome.others[:SHOWN]:
        yield f"not what was asked for: {entry.where} as {entry.asked}, but it is {entry.name}"
    if len(outcome.others) > SHOWN:
        yield f"... and {len(outcome.others) - SHOWN:,} more; the manifest has them"
    if missing := outcome.missing:
        yield f"{len(missing):,} of the books could not be had from {base}, the first: {missing[0].sentence}"
        yield (
            "run the same command again to try again, or fetch them by hand (on another machine) into a "
            f"folder and run `photinus-train corpus {'add' if is_made else 'build'} {name} FOLDER`"
        )
    for word in outcome.barren:
        yield f"nothing came of {word}"


def disk_trouble(error: OSError) -> str:
    """One sentence and what to do."""
    if error.errno in NO_SPACE:
        return "the disk is full: make room, then run the same command again; what is whole is kept"
    return f"cannot use {error.filename!r} ({error.strerror}): check the disk and its permissions"


def summary(folder: Path, outcome: "GatherResult") -> str:
    """For people."""
    entries = list(outcome.manifest.documents)
    size = sum(entry.bytes for entry in entries)
    return (
        f"corpus {folder.name}: {len(entries):,} documents, {size:,} bytes of text\n"
        f"  {outcome.added:,} new, {outcome.known:,} there already, {outcome.duplicates:,} duplicates, "
        f"{len(outcome.skipped):,} skipped\n"
        f"  in {folder}\n"
        f"  train on it with --data corpus:{folder.name}"
    )


def summary_json(folder: Path, outcome: "GatherResult") -> str:
    """For scripts."""
    entries = list(outcome.manifest.documents)
    return json.dumps(
        {
            "name": folder.name,
            "folder": str(folder),
            "documents": len(entries),
            "bytes": sum(entry.bytes for entry in entries),
            "added": outcome.added,
            "known": outcome.known,
            "duplicates": outcome.duplicates,
            "skipped": [{"where": one.where, "because": one.because} for one in outcome.skipped],
            "missing": [one.where for one in outcome.missing],
            "others": [{"where": e.where, "asked": e.asked, "title": e.title} for e in outcome.others],
            "finished": not outcome.manifest.unfinished,
        }
    )


def stats_lines(stats: "Stats") -> Iterator[str]:
    """For people."""
    yield stats.name
    yield f"  documents    {stats.documents:,}; {stats.duplicates:,} duplicates dropped"
    yield (
        f"  text         {stats.bytes:,} bytes, {stats.characters:,} characters, "
        f"{stats.distinct:,} different ones"
    )
    if stats.tokenized:
        first = stats.tokenized[0]
        yield (
            f"  split        train {first.text_bytes[0]:,} bytes in {first.blocks[0]:,} blocks, "
            f"validation {first.text_bytes[1]:,} in {first.blocks[1]:,}"
        )
        yield (
            "  tokenizer    vocab  bytes/token       train         val  "
            "1-, 2-, 3-gram floor, nats/token  3-gram, bits/byte"
        )
    for one in stats.tokenized:
        floors = f"{one.floors.unigram:.3f}  {one.floors.bigram:.3f}  {one.floors.trigram:.3f}"
        yield (
            f"  {one.tokenizer:9} {one.vocab:8,} {one.bytes_per_token:12.3f} {one.tokens[0]:11,} "
            f"{one.tokens[1]:11,}  {floors:34}{one.trigram_bits_per_byte:.3f}"
        )
    if stats.biggest:
        yield "  biggest"
        yield from (f"    {size:11,}  {name}" for name, size in stats.biggest)
    if stats.skipped:
        yield f"  skipped      {len(stats.skipped) + stats.skipped_more:,}"
        yield from (f"    {sentence}" for sentence in stats.skipped[: 2 * SHOWN])
        if len(stats.skipped) > 2 * SHOWN:
            yield f"    ... and {len(stats.skipped) - 2 * SHOWN:,} more, with --json"
    if stats.unfinished:
        yield "  not complete: the same `photinus-train corpus` command goes on with it"
    yield from (f"  note: {note}" for note in stats.notes)
