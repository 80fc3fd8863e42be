"""N-gram floors of the beginning of validation: of the very tokens that a run is scored on, and no others."""

import json
import math
import os
from pathlib import Path

from trainer.data.floors import NGrams
from trainer.data.prepared_corpus import Corpus
from trainer.data.progress import Pulse

Floors3 = tuple[float, float, float]
"""Unigram, bigram and trigram, nats a token."""


def prefix_floors(corpus: Corpus, count: int, folder: Path, pulse: Pulse) -> Floors3:
    """Return the floors over the first `count` predicted tokens of validation (behind its first).

    Counting the training text again takes as long as when the corpus was prepared, so the result is kept.

    Args:
        count: at least 1, fewer than there are tokens of validation.
        folder: the corpus's cache entry.

    Raises:
        Stopped: if a stop was asked for.
    """
    kept = folder / f"floors-{count}.json"
    if (known := _read(kept)) is not None:
        return known
    losses = NGrams(corpus.train, corpus.vocab_size, pulse).losses(corpus.val[: count + 1])
    unigram, bigram, trigram = losses.mean(1).tolist()
    floors = (unigram, bigram, trigram)
    _keep(kept, floors)
    return floors


def _read(path: Path) -> Floors3 | None:
    """What was kept; None if it is absent or no three numbers."""
    try:
        unigram, bigram, trigram = (float(one) for one in json.loads(path.read_bytes()))
    except (OSError, ValueError, TypeError):
        return None
    floors = (unigram, bigram, trigram)
    return floors if all(math.isfinite(one) and one >= 0 for one in floors) else None


def _keep(path: Path, floors: Floors3) -> None:
    """Keep it for the next run; a cache that cannot be written only costs the time."""
    draft = path.with_name(f".{path.name}.{os.getpid()}")
    try:
        draft.write_text(json.dumps(floors))
        draft.replace(path)
    except OSError:
        draft.unlink(missing_ok=True)
