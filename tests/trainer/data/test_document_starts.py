"""Where documents begin: written with the tokens, told by the batches, and only where it was asked for."""

import json
from pathlib import Path
from typing import Literal

import numpy as np

from tests.trainer.data.prose import prose
from trainer.config.data import DataConfig
from trainer.data import Batches, Corpus, prepare
from trainer.data.batches import with_begins

Reset = Literal["never", "document"]
LONG, DOCUMENTS = 12_000, 12


def texts(folder: Path) -> list[str]:
    """Documents, each some blocks long, one a record, in one file below `folder`."""
    made = [f"Nr. {seed} begins. " + prose(LONG, seed) for seed in range(DOCUMENTS)]
    (folder / "texts.jsonl").write_text("".join(json.dumps({"text": one}) + "\n" for one in made))
    return made


def corpus_of(folder: Path, reset: Reset) -> Corpus:
    config = DataConfig(source=str(folder / "texts.jsonl"), block_kib=4, val_fraction=0.2, reset=reset)
    return prepare(config, cache_dir=folder / "cache")


def test_every_document_begins_once_in_train_and_every_block_in_validation(tmp_path: Path) -> None:
    made = texts(tmp_path)
    with corpus_of(tmp_path, "document") as corpus:
        train, val = corpus.begins
        assert train is not None
        assert val is not None
        assert corpus.meta.blocks[0] > len(train)
        spans = zip(train, [*train[1:], len(corpus.train)], strict=True)
        read = [corpus.tokenizer.decode(corpus.train[begin:end].tolist()).decode() for begin, end in spans]
        assert np.array_equal(val, corpus.val_starts)
    paragraphs = [set(one.split("\n\n")) for one in made]
    owners = [
        [n for n, own in enumerate(paragraphs) if set(one.strip().split("\n\n")) <= own] for one in read
    ]
    assert [len(owner) for owner in owners] == [1] * len(read)
    assert owners == sorted(owners)


def test_without_the_option_the_entry_and_its_name_are_as_they_were(tmp_path: Path) -> None:
    texts(tmp_path)
    with corpus_of(tmp_path, "never") as off, corpus_of(tmp_path, "document") as on:
        assert off.begins == (None, None)
        assert "reset" not in off.meta.settings
        assert off.fingerprint != on.fingerprint
        assert np.array_equal(off.train, on.train)
        entry = tmp_path / "cache" / off.fingerprint / "meta.json"
        assert b"train_starts" not in entry.read_bytes()


def test_inputs_tell_which_tokens_begin_a_document_and_targets_do_not() -> None:
    tokens, begins = np.arange(5_000, dtype=np.uint16), np.array([0, 7, 8, 900, 4_990])
    plain, telling = (Batches(tokens, 16, 8, 3, given) for given in (None, begins))
    for index in range(60):
        (ids, targets), (pairs, same) = plain.batch_at(index), telling.batch_at(index)
        assert np.array_equal(targets, same)
        assert np.array_equal(pairs[..., 0], ids)
        assert np.array_equal(pairs[..., 1], np.isin(ids, begins))


def test_a_text_without_starts_is_given_as_it_is() -> None:
    ids = np.arange(6)
    assert with_begins(ids, ids, None) is ids
