"""A feed so small that a step takes milliseconds: its shards, its command line, its ledger."""

import json
import random
from collections.abc import Sequence
from pathlib import Path

from tests.trainer.loop.tiny import TINY, signals_restored
from trainer import cli
from trainer.feed.feed_folder import FeedFolder, drop
from trainer.feed.feed_ledger import FeedState, read_ledger

SIZES = (64, 96, 40, 43)
FED = (
    *(one for one in TINY if not one.startswith(("batch", "steps"))),
    "batch=8",
    "eval.sample_tokens=0",
    "checkpoint.every=5",
    "checkpoint.keep_last=99",
)
WORDS = ("the", "firefly", "waits", "until", "its", "neighbours", "flash", "in", "phase", "with", "all")


def write_shards(folder: Path, sizes: Sequence[int] = SIZES) -> list[Path]:
    """Write files of so many examples, every one of them another text, some longer than the context."""
    draw, paths = random.Random(1), []
    for number, size in enumerate(sizes):
        texts = [f"{number} {line} " + " ".join(draw.choices(WORDS, k=4)) for line in range(size)]
        lines = [json.dumps({"text": text[: draw.randint(8, 40)]}) for text in texts]
        path = folder / f"shard-{number}.jsonl"
        path.write_text("\n".join(lines))
        paths.append(path)
    return paths


def fill(out: Path, paths: Sequence[Path]) -> None:
    """Drop files into the inbox of the feed in `out`, in this order."""
    for path in paths:
        drop(FeedFolder(out / "feed"), path)


def words(out: Path, text: Path, *more: str, sets: Sequence[str] = ()) -> list[str]:
    """Return the command line of a tiny feed that ends when nothing waits."""
    flags = [word for item in (*FED, *sets) for word in ("--set", item)]
    begin = ["--preset", "kssm-v3-tiny", "--data", str(text), *flags]
    return ["feed", "run", "--out", str(out), *([] if "--resume" in more else begin), "--once", *more]


def feed(out: Path, text: Path, *more: str, sets: Sequence[str] = ()) -> int:
    """Feed in this process; return the exit code."""
    with signals_restored():
        return cli.main(words(out, text, *more, sets=sets))


def ledger(out: Path) -> FeedState:
    """Return what the ledger of a feed comes to."""
    return read_ledger(out / "feed" / "ledger.jsonl")


def walked(out: Path) -> list[tuple[int, int]]:
    """Return first and last step of every shard that was trained, in order."""
    state = ledger(out)
    begun = [state.shards[key].begun for key in state.walk]
    return [(one.start, one.end) for one in begun if one is not None]
