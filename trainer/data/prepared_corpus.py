"""A prepared corpus: what the loop trains on, and what its cache entry says about it."""

from dataclasses import dataclass, field
from types import TracebackType
from typing import Self

import msgspec
import numpy as np
from numpy.typing import NDArray

from trainer.data.floors import CountedFloors
from trainer.data.tokenizers.tokenizer import Tokenizer
from trainer.run.locks import Flock

TOKEN = np.dtype("<u2")
TRAIN, VAL, TOKENIZER = "train.bin", "val.bin", "tokenizer.json"

Tokens = NDArray[np.uint16]


class FileRecord(msgspec.Struct, frozen=True):
    """Length and SHA-256 of one file of an entry."""

    bytes: int
    sha256: str


class Meta(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True, omit_defaults=True):
    """`meta.json` of a cache entry.

    Attributes:
        settings: What the fingerprint was made of, for people.
        documents: Distinct documents read.
        duplicates: Documents and blocks dropped because their text was there already.
        blocks: Blocks in train and in validation.
        text_bytes: Bytes of text in train and in validation, separators included.
        val_starts: Token offset at which each validation block begins.
        train_starts: Token offset at which each training document begins; only with `data.reset: document`.
        entropy_rate: Nats a byte of validation under the process that made it, where that is known.
        notes: What was left out and why.
    """

    fingerprint: str
    source: str
    settings: dict[str, str]
    documents: int
    duplicates: int
    blocks: tuple[int, int]
    text_bytes: tuple[int, int]
    val_starts: list[int]
    vocab_size: int
    floors: CountedFloors
    entropy_rate: float | None
    notes: list[str]
    files: dict[str, FileRecord]
    created: float
    train_starts: list[int] | None = None


@dataclass(frozen=True, slots=True)
class Corpus:
    """Tokens, tokenizer and floors. Its cache entry is safe from pruning until `close` or the process's end.

    Attributes:
        train: uint16 [N], memory-mapped, blocks in the order of their documents.
        val: uint16 [M], memory-mapped, blocks in the order of their hashes, so any prefix is a fair sample.
        tokenizer: Bytes to ids and back.
        floors: N-gram cross-entropies in nats a token.
        meta: Everything else that was recorded.
        from_cache: Whether nothing had to be built.
    """

    train: Tokens
    val: Tokens
    tokenizer: Tokenizer
    meta: Meta
    from_cache: bool
    _in_use: Flock | None = field(repr=False)

    @property
    def vocab_size(self) -> int:
        """Token ids are 0..vocab_size-1; a short text may yield fewer than were asked for."""
        return self.meta.vocab_size

    @property
    def floors(self) -> CountedFloors:
        """See `CountedFloors`."""
        return self.meta.floors

    @property
    def fingerprint(self) -> str:
        """32 hex digits over content, tokenizer and settings."""
        return self.meta.fingerprint

    @property
    def documents(self) -> int:
        """Distinct documents read."""
        return self.meta.documents

    @property
    def entropy_rate(self) -> float | None:
        """Nats a byte of validation text under its true process; only generated text has one."""
        return self.meta.entropy_rate

    @property
    def notes(self) -> list[str]:
        """What was left out and why, a sentence each."""
        return self.meta.notes

    @property
    def bytes_per_token(self) -> float:
        """Mean over validation; nats a token over this are nats a byte."""
        return self.meta.text_bytes[1] / len(self.val)

    @property
    def val_starts(self) -> NDArray[np.int64]:
        """int64 [blocks], the token at which each validation block begins: the samples of a bootstrap."""
        return np.array(self.meta.val_starts, np.int64)

    @property
    def begins(self) -> tuple[NDArray[np.int64], NDArray[np.int64]] | tuple[None, None]:
        """Where documents begin in train and in validation, ascending; None where no state is reset there.

        Blocks of validation lie in the order of their hashes, so each of them is a document of its own.
        """
        if self.meta.train_starts is None:
            return None, None
        return np.array(self.meta.train_starts, np.int64), self.val_starts

    def close(self) -> None:
        """Let the entry be pruned. The tokens stay readable while they are referenced."""
        if self._in_use is not None:  # a task lies in no cache
            self._in_use.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()
