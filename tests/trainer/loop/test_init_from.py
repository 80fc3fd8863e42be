"""A run that begins with another one's weights: its own lineage, steps, rate and optimizer."""

import json
from pathlib import Path

from tests.trainer.loop.tiny import events, last_word, run, write_text

BPE = ("data.tokenizer=bpe", "data.vocab=512", "eval.sample_tokens=0")


def manifest(out: Path, step: int) -> dict[str, object]:
    raw: dict[str, object] = json.loads((out / "checkpoints" / f"step-{step:08d}" / "state.json").read_text())
    return raw


def test_a_lineage_begins_with_the_weights_and_byte_pairs_of_another(tmp_path: Path, text: Path) -> None:
    first, other = tmp_path / "first", write_text(tmp_path / "other.txt", seed=3)
    assert run(first, text, sets=(*BPE, "steps=60", "checkpoint.every=60", "optim.lr=0.02")) == 0
    source = str(first / "checkpoints" / "step-00000060")
    on, sets = tmp_path / "on", (*BPE, "optim.schedule=wsd", "optim.name=muon", "steps=2", "log.every=1")
    assert run(on, other, "--init-from", source, sets=sets) == 0
    row = events(on, "metrics")[0]
    assert row["step"] == 1
    assert row["ce"] < events(first, "metrics")[0]["ce"] - 1, "it knows nothing"
    told = manifest(on, 2)
    assert (told["step"], told["parent"]) == (2, "first/step-00000060")
    assert told["tokenizer"] == manifest(first, 60)["tokenizer"]
    first_dir = first.rename(tmp_path / "gone")
    assert run(on, other, "--resume", sets=(*sets, "steps=3")) == 0, last_word(on)
    assert manifest(on, 3)["parent"] == "step-00000002"
    assert first_dir.is_dir()


def test_weights_of_another_model_or_none_are_refused_with_the_remedy(tmp_path: Path, text: Path) -> None:
    first = tmp_path / "first"
    assert run(first, text, sets=("steps=1",)) == 0
    out = tmp_path / "on"
    assert run(out, text, "--init-from", str(first), sets=("model.kind=gpt", "model.heads=2")) != 0
    assert "holds another model, of kind kssm-v3" in last_word(out)["reason"]
    assert run(out, text, "--init-from", str(tmp_path / "nowhere")) == 3
    assert "neither a checkpoint" in last_word(out)["reason"]
