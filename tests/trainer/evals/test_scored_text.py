"""What stands beside `val_ce` is of the very tokens that were scored."""

import json
import math
from pathlib import Path
from typing import Literal

import numpy as np
import pytest

from tests.trainer.evals.trained import state_root
from tests.trainer.loop.tiny import events, run, write_text
from trainer.config.data import DataConfig
from trainer.config.schema import EvalConfig, RunConfig
from trainer.data import Corpus, default_cache_dir, prepare
from trainer.data.floors import NGrams
from trainer.data.progress import Pulse
from trainer.evals.scored_text import ScoredText, scored_text


def part_of(corpus: Corpus, tokens: int) -> ScoredText:
    """The part that a run of windows of 16 would score."""
    config = RunConfig(context=16, eval=EvalConfig(tokens=tokens))
    return scored_text(corpus, config, default_cache_dir(), Pulse())


@pytest.mark.parametrize("tokenizer", ["byte", "bpe"])
def test_bytes_and_floors_are_those_of_the_scored_tokens(
    tokenizer: Literal["byte", "bpe"], tmp_path: Path
) -> None:
    text = write_text(tmp_path / "text.txt")
    with state_root(tmp_path / "home"):
        corpus = prepare(DataConfig(source=str(text), tokenizer=tokenizer, vocab=512))
        part, whole = part_of(corpus, 100), part_of(corpus, 1 << 20)
        assert part.count == 96
        scored = corpus.val[1:97].tolist()
        assert part.bytes == sum(len(corpus.tokenizer.decode([one])) for one in scored)
        p = NGrams(corpus.train, corpus.vocab_size, Pulse()).losses(np.asarray(corpus.val[:97]))
        assert part.floors == pytest.approx(p.mean(1).tolist())
        assert part.floors != pytest.approx(whole.floors, abs=1e-3)  # else this would show nothing
        assert whole.floors == pytest.approx(
            (corpus.floors.unigram, corpus.floors.bigram, corpus.floors.trigram), abs=0.02
        )
        (kept,) = (default_cache_dir() / corpus.fingerprint).glob("floors-96.json")
        for torn in ("[1, 2", "[1, 2]", '["a", 1, 1]', "[NaN, 1, 1]", "[1, 2, -3]", "{}", "7"):
            kept.write_text(torn)
            assert part_of(corpus, 100).floors == part.floors, torn
        assert json.loads(kept.read_text()) == list(part.floors)
        corpus.close()


def test_a_run_speaks_of_one_text_in_every_number(tmp_path: Path) -> None:
    text, out = write_text(tmp_path / "text.txt"), tmp_path / "run"
    with state_root(tmp_path / "home"):
        sets = ("data.tokenizer=bpe", "data.vocab=512", "steps=1", "eval.tokens=48")
        assert run(out, text, sets=sets) == 0
        corpus = prepare(DataConfig(source=str(text), tokenizer="bpe", vocab=512))
        part = part_of(corpus, 48)
        corpus.close()
    (said,), (floors,) = events(out, "eval"), events(out, "floors")
    assert said["val_bpb"] == pytest.approx(said["val_ce"] * part.count / part.bytes / math.log(2))
    assert part.bytes_per_token != pytest.approx(corpus.bytes_per_token, rel=1e-3)
    assert (floors["unigram"], floors["bigram"], floors["trigram"]) == pytest.approx(part.floors)
