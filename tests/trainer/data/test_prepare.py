"""The one entry as its caller sees it."""

from pathlib import Path

import pytest

from tests.trainer.data.prose import prose
from trainer.config.data import DataConfig
from trainer.data import DataProgress, default_cache_dir, prepare


def test_the_demo_text_is_made_ready_and_says_how_far_it_is(tmp_path: Path) -> None:
    heard: list[DataProgress] = []
    with prepare(DataConfig(), cache_dir=tmp_path, progress=heard.append) as corpus:
        assert corpus.vocab_size == 256
        assert corpus.documents > 100
        assert 0.05 < len(corpus.val) / len(corpus.train) < 0.2
        floors = corpus.floors
        assert floors.uniform > floors.unigram > floors.bigram > floors.trigram > 1
        assert corpus.entropy_rate is None
    assert {"hash", "read", "split", "encode", "count", "verify"} <= {progress.stage for progress in heard}
    assert all(0 <= progress.done <= progress.total for progress in heard if progress.total)


@pytest.mark.parametrize("tokenizer", ["byte", "bpe"])
def test_a_text_file_makes_a_corpus_with_either_tokenizer(tokenizer: str, tmp_path: Path) -> None:
    (tmp_path / "a.txt").write_text(prose(100_000))
    config = DataConfig(source=str(tmp_path / "a.txt"), tokenizer=tokenizer, vocab=512)  # type: ignore[arg-type]
    with prepare(config, cache_dir=tmp_path / "cache") as corpus:
        assert int(corpus.train.max()) < corpus.vocab_size == (256 if tokenizer == "byte" else 512)
        assert corpus.tokenizer.decode(corpus.tokenizer.encode("Hello, “you”")) == "Hello, “you”".encode()
        assert corpus.val_starts[0] == 0
        assert len(corpus.val_starts) == corpus.meta.blocks[1]


def test_the_cache_lies_below_the_home_that_is_set(tmp_path: Path) -> None:
    assert default_cache_dir({"PHOTINUS_HOME": str(tmp_path)}) == tmp_path / "cache" / "tokens"
    assert default_cache_dir({}) == Path.home() / ".photinus" / "cache" / "tokens"
