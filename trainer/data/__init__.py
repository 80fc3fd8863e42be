"""Text to tokens: sources, tokenizers, the token cache, n-gram floors and batches."""

from trainer.data.batches import Batches
from trainer.data.data_errors import DataError, Stopped
from trainer.data.floors import CountedFloors
from trainer.data.prepare import cached, default_cache_dir, prepare, prepare_or_cached
from trainer.data.prepared_corpus import Corpus
from trainer.data.progress import DataProgress
from trainer.data.tokenizers.tokenizer import Tokenizer

__all__ = [
    "Batches",
    "Corpus",
    "CountedFloors",
    "DataError",
    "DataProgress",
    "Stopped",
    "Tokenizer",
    "cached",
    "default_cache_dir",
    "prepare",
    "prepare_or_cached",
]
