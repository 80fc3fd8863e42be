"""A shard: a file as examples of tokens, and those on disk.

An example is a line of `.jsonl`, cut to the context; of any other text a piece of at most a context.
"""

import hashlib
import io
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from trainer.data.blocks import cut
from trainer.data.data_errors import BadFileError
from trainer.data.sources.file_formats import texts_of
from trainer.data.sources.text import clean, strip_gutenberg
from trainer.data.tokenizers.tokenizer import Tokenizer
from trainer.run.disk.atomic import write_bytes
from trainer.run.run_errors import CheckpointError

MAX_BYTES = 2 << 30
BLOCK_BYTES = 64 << 10


@dataclass(frozen=True, slots=True)
class FedShard:
    """Examples of tokens.

    Attributes:
        tokens: uint16 [N], those of all examples.
        starts: int64 [examples + 1], where each begins; the last one is N.
        sha256: of the text of its examples: the same examples in the same order have the same.
        cut: tokens of lines that did not fit.
        dropped: examples that were empty, or too short to have a target.
    """

    tokens: NDArray[np.uint16]
    starts: NDArray[np.int64]
    sha256: str
    cut: int = 0
    dropped: int = 0

    def __len__(self) -> int:
        return len(self.starts) - 1

    def example(self, number: int) -> NDArray[np.uint16]:
        """Return the tokens of one example, two to `context + 1` of them."""
        return self.tokens[self.starts[number] : self.starts[number + 1]]


def read_shard(path: Path, name: str, tokenizer: Tokenizer, context: int, text_field: str) -> FedShard:
    """Read a file as examples of at most `context + 1` tokens; `name` says by its suffix how.

    Raises:
        BadFileError: it is no text, is too large, or holds no example.
    """
    if path.stat().st_size > MAX_BYTES:
        raise BadFileError(f"{name} is larger than {MAX_BYTES >> 30} GiB", "split it")
    digest, lost, dropped = hashlib.sha256(), 0, 0
    examples: list[NDArray[np.uint16]] = []
    is_lines = ".jsonl" in Path(name).suffixes
    for raw in texts_of(path, text_field):
        text = clean(raw.text) if is_lines else strip_gutenberg(clean(raw.text))
        digest.update(f"{len(text)}\0{text}".encode())
        for ids in _pieces(text, tokenizer, context, is_lines):
            if len(ids) < 2:
                dropped += 1
                continue
            lost += max(0, len(ids) - context - 1)
            examples.append(np.array(ids[: context + 1], np.uint16))
    if not examples:
        raise BadFileError(f"{name} holds no example of two tokens or more", "give it some text")
    starts = np.cumsum([0, *(len(one) for one in examples)], dtype=np.int64)
    return FedShard(np.concatenate(examples), starts, digest.hexdigest(), lost, dropped)


def _pieces(text: str, tokenizer: Tokenizer, context: int, whole: bool) -> Iterator[Sequence[int]]:
    """Yield the tokens of one example at a time; where a text goes on, its next target is the first token."""
    if whole:
        yield tokenizer.encode(text)
        return
    for block in cut(text.encode("utf-8", "replace"), BLOCK_BYTES):
        ids = tokenizer.encode(block)
        for begin in range(0, max(len(ids) - 1, 1), context):
            yield ids[begin : begin + context + 1]


def store_shard(path: Path, shard: FedShard) -> str:
    """Write the tokens of a shard, whole or not at all; return the SHA-256 of the file.

    Raises:
        OSError: the disk refused.
    """
    file = io.BytesIO()
    np.savez(file, tokens=shard.tokens, starts=shard.starts)
    data = file.getvalue()
    write_bytes(path, data)
    return hashlib.sha256(data).hexdigest()


def load_shard(path: Path, sha256: str, tokens_sha256: str) -> FedShard:
    """Read what `store_shard` wrote.

    Args:
        sha256: of its text.
        tokens_sha256: of the file.

    Raises:
        CheckpointError: it is gone or was changed.
    """
    try:
        data = path.read_bytes()
    except OSError as error:
        raise CheckpointError(f"the tokens of shard {path.stem} cannot be read: {error.strerror}") from error
    if hashlib.sha256(data).hexdigest() != tokens_sha256:
        raise CheckpointError(f"the tokens of shard {path.stem} were changed: their SHA-256 does not match")
    with np.load(io.BytesIO(data), allow_pickle=False) as arrays:
        return FedShard(arrays["tokens"], arrays["starts"], sha256)
