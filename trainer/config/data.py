"""What a model reads: the `data:` section of a preset. No torch and no numpy here."""

from typing import Annotated, Literal

from msgspec import Meta, Struct


class DataConfig(Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """Where the text comes from, how it is cut into tokens, and how long its token cache lives.

    Raises:
        ValueError: (a `msgspec.ValidationError` when decoded) if the recall distance cannot hold its pairs,
            or a file of a tokenizer is named beside another tokenizer.
    """

    source: Annotated[
        str,
        Meta(
            min_length=1,
            description="python-docs, recall, brackets, interleaved, flip-flop, kv-recall, corpus:NAME, "
            "mix:WEIGHT*SOURCE,WEIGHT*SOURCE, "
            "or the path of a .txt, .md, .jsonl, .parquet, .gz, .zip file or a folder",
        ),
    ] = "python-docs"
    tokenizer: Annotated[
        Literal["byte", "bpe"], Meta(description="byte: 256 tokens; bpe: byte pairs trained on this corpus")
    ] = "byte"
    vocab: Annotated[
        int, Meta(ge=512, le=32768, description="tokens of the bpe vocabulary; byte has 256")
    ] = 4096
    tokenizer_file: Annotated[
        str,
        Meta(
            description="a tokenizer.json, of Hugging Face or of a checkpoint, in place of pairs that are "
            "learnt; with tokenizer: bpe"
        ),
    ] = ""
    val_fraction: Annotated[
        float, Meta(gt=0, le=0.5, description="share of the text held out, chosen by the hash of each block")
    ] = 0.1
    block_kib: Annotated[
        int, Meta(ge=1, le=4096, description="longest block in KiB; longer documents are cut at paragraphs")
    ] = 64
    max_mb: Annotated[
        float,
        Meta(gt=0, le=1e6, description="text read at most, in MB; a note says what was left out"),
    ] = 4000.0
    text_field: Annotated[
        str, Meta(min_length=1, description="the key of the text in .jsonl records, its column in .parquet")
    ] = "text"
    reset: Annotated[
        Literal["never", "document"],
        Meta(
            description="document: state and attention begin anew where a document begins (kssm-v3, but for "
            "mobius, feedback and latch; gated; gpt, but for learned places)"
        ),
    ] = "never"
    cache_days: Annotated[
        float, Meta(ge=0, description="days that an unused token cache is kept; 0 keeps only those in use")
    ] = 7.0
    cache_gb: Annotated[
        float,
        Meta(ge=0, description="size limit of all token caches; the least recently used go first"),
    ] = 20.0
    recall_bytes: Annotated[
        int, Meta(ge=32768, le=1_000_000_000, description="length of the generated text (recall)")
    ] = 1_000_000
    recall_pairs: Annotated[
        int, Meta(ge=2, le=26, description="keys whose values must be remembered (recall)")
    ] = 26
    recall_distance: Annotated[
        int, Meta(ge=4, le=65536, description="farthest recall in bytes; the nearest is 2 (recall)")
    ] = 400
    recall_store: Annotated[
        float,
        Meta(gt=0, lt=1, description="share of items that store a value; the others recall (recall)"),
    ] = 0.5
    recall_seed: Annotated[int, Meta(ge=0, description="seed of the generated text (recall)")] = 0
    task_bytes: Annotated[
        int,
        Meta(
            ge=32768,
            le=1_000_000_000,
            description="length of the generated text (brackets, interleaved, flip-flop)",
        ),
    ] = 1_000_000
    task_seed: Annotated[
        int,
        Meta(ge=0, description="seed of the generated text (brackets, interleaved, flip-flop) or of a task"),
    ] = 0
    brackets_depth: Annotated[int, Meta(ge=1, le=1024, description="deepest nesting (brackets)")] = 12
    interleaved_streams: Annotated[int, Meta(ge=1, le=26, description="streams (interleaved)")] = 4
    interleaved_period: Annotated[
        int, Meta(ge=1, le=64, description="digits that a stream repeats (interleaved)")
    ] = 4
    flipflop_gap: Annotated[
        int, Meta(ge=2, le=2048, description="most items between two writes (flip-flop)")
    ] = 100

    kv_pairs: Annotated[int, Meta(ge=1, le=64, description="pairs that a sequence stores (kv-recall)")] = 4
    kv_keys: Annotated[int, Meta(ge=1, le=64, description="different keys (kv-recall)")] = 64
    kv_values: Annotated[int, Meta(ge=2, le=64, description="different values (kv-recall)")] = 64
    kv_noise: Annotated[int, Meta(ge=1, le=256, description="different tokens of noise (kv-recall)")] = 96
    kv_queries: Annotated[
        int, Meta(ge=1, le=64, description="pairs of a sequence that are asked for (kv-recall)")
    ] = 1

    def __post_init__(self) -> None:
        if self.tokenizer_file and self.tokenizer != "bpe":
            raise ValueError("tokenizer_file goes with tokenizer: bpe")
        least = 2 * self.recall_pairs
        if self.recall_distance < least:
            raise ValueError(f"recall_distance ({self.recall_distance}) is below 2 x recall_pairs ({least})")
        if self.kv_pairs > min(self.kv_keys, self.kv_values):
            raise ValueError(f"kv_pairs ({self.kv_pairs}) is above kv_keys or kv_values")
        if self.kv_queries > self.kv_pairs:
            raise ValueError(f"kv_queries ({self.kv_queries}) is above kv_pairs ({self.kv_pairs})")
