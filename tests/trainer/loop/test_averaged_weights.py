"""Averaged weights are scored beside those of the last step, speak where asked, and change nothing else."""

import json
from pathlib import Path

import pytest
from safetensors.torch import load_file

from tests.trainer.evals.trained import state_root
from tests.trainer.loop.tiny import events, run, weights, write_text
from trainer import cli
from trainer.evals.subject import load_speaker, load_subject
from trainer.evals.validation import AVERAGED_CE

SETS = ("eval.every=3", "optim.lr=0.02", "model.kind=gpt", "model.heads=2")


def test_they_are_scored_sampled_and_evaluated(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    text = write_text(tmp_path / "text.txt")
    with state_root(tmp_path / "home"):
        for name, more in (("with", ("optim.ema=0.9",)), ("without", ())):
            assert run(tmp_path / name, text, sets=(*SETS, *more)) == 0
        scored, plain = (events(tmp_path / name, "eval") for name in ("with", "without"))
        assert [row["val_ce"] for row in scored] == [row["val_ce"] for row in plain]
        assert all(row[AVERAGED_CE] > row["val_ce"] for row in scored), (
            "they lag behind while all gets better"
        )
        assert not any(AVERAGED_CE in row for row in plain)
        assert weights(tmp_path / "with", 6) == weights(tmp_path / "without", 6)
        subject = load_subject(str(tmp_path / "with"), averaged=True)
        subject.corpus.close()
        speaker = load_speaker(str(tmp_path / "with"), averaged=True)
        assert speaker is not None
        kept = load_file(tmp_path / "with/checkpoints/step-00000006/average.safetensors")
        for model in (subject.model, speaker.model):
            named = dict(model.named_parameters())
            assert all(bool((named[name] == value).all()) for name, value in kept.items())
        say = ["sample", "--prompt", "The", "--tokens", "3", "--averaged", "--device", "cpu", "--json"]
        capsys.readouterr()
        assert cli.main([*say, str(tmp_path / "with")]) == 0
        assert json.loads(capsys.readouterr().out)["tokens"] == 3
        assert cli.main([*say, str(tmp_path / "without")]) == 3
        assert "holds no averaged weights" in capsys.readouterr().err
