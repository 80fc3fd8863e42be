"""An exported model answers as the one that was trained, where there is torch and no Photinus."""

import json
import subprocess
import sys
from pathlib import Path

import pytest
import torch
from msgspec.structs import replace
from safetensors.torch import load_file

from trainer import cli
from trainer.checkpoints.save import Surroundings, save
from trainer.config.model import ModelConfig
from trainer.config.schema import OptimConfig, RunConfig
from trainer.data import Tokenizer
from trainer.data.tokenizers.bpe import BpeTokenizer
from trainer.data.tokenizers.tokenizer import ByteTokenizer
from trainer.device.device import open_device
from trainer.evals.subject import load_speaker
from trainer.loop.setup import build_state
from trainer.models import Output
from trainer.models.forms import small_forms, small_kinds

FORMS = ("mobius", "latch", "feedback", "signed", "clamp", "written by R")
ALL = {**small_kinds(), **{f"form {name}": small_forms()[name] for name in FORMS}}
ALONE = """
import importlib.util, json, sys

class Blocked:
    def find_spec(self, name, path=None, target=None):
        if name.partition(".")[0] in ("trainer", "remote", "tui", "photinus", "msgspec", "yaml", "numpy"):
            raise ModuleNotFoundError(f"{name} is not here", name=name)

sys.meta_path.insert(0, Blocked())
import torch
torch.set_num_threads(1)
for folder in json.loads(sys.argv[1]):
    spec = importlib.util.spec_from_file_location("modeling", f"{folder}/modeling.py")
    module = importlib.util.module_from_spec(spec)
    sys.modules["modeling"] = module
    spec.loader.exec_module(module)
    model, tokenizer = module.load(folder)
    ids = torch.tensor([tokenizer.encode(sys.argv[2])])
    torch.manual_seed(0)
    with torch.no_grad():
        logits = model(ids).logits[0]
    said = module.continue_text(model, tokenizer, "The ", 12, temperature=0)
    print(json.dumps({"folder": folder, "logits": logits.double().tolist(), "said": list(said)}))
assert not any(name.partition(".")[0] in ("trainer", "msgspec") for name in sys.modules)
"""


PROMPT = "The firefly waits"


def checkpoint(folder: Path, model: ModelConfig, tokenizer: Tokenizer, ema: float = 0.0) -> Path:
    """Save a model as a run would, every weight of it moved from where it began."""
    config, device = RunConfig(model=model, context=32, optim=OptimConfig(ema=ema)), open_device("cpu", 1)
    state = build_state(config, device, tokenizer.vocab_size, 0)
    with torch.no_grad():
        for one in state.model.parameters():
            one.add_(0.05 * torch.randn_like(one))
    state.step = 3
    floors = (3.1, 2.4, 1.9)
    around = Surroundings(config, device, "a-text", tokenizer.vocab_size, (), tokenizer.to_json(), floors)
    save(folder / "checkpoints", state, around, "final")
    return folder / "checkpoints" / "step-00000003"


def answer(path: Path) -> torch.Tensor:
    """What the model of a checkpoint says here, `[T, V]`."""
    speaker = load_speaker(str(path), device="cpu")
    assert speaker is not None
    torch.manual_seed(0)
    with torch.no_grad():
        out: Output = speaker.model(torch.tensor([speaker.tokenizer.encode(PROMPT)]))
    return out.logits[0].double()


def test_every_kind_and_form_answers_alone_as_it_did(tmp_path: Path) -> None:
    bpe = BpeTokenizer([(104, 101), (32, 256), (105, 114)])
    saved = {
        name: checkpoint(tmp_path / str(index), model, bpe if index % 2 else ByteTokenizer())
        for index, (name, model) in enumerate(ALL.items())
    }
    for path in saved.values():
        assert cli.main(["export", str(path), "--to", str(path.parent / "out")]) == 0
    folders = [str(path.parent / "out") for path in saved.values()]
    words = [sys.executable, "-I", "-c", ALONE, json.dumps(folders), PROMPT]
    done = subprocess.run(words, cwd=tmp_path, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr[-2000:]
    for row, (name, path) in zip(map(json.loads, done.stdout.splitlines()), saved.items(), strict=True):
        found, expected = torch.tensor(row["logits"], dtype=torch.float64), answer(path)
        assert float((found - expected).abs().max()) <= 1e-5, name
        assert len(row["said"]) >= 12, name


def test_the_comparison_would_notice_other_weights(tmp_path: Path) -> None:
    """Negative control: two models of one kind are farther apart than what is allowed."""
    one, other = (
        checkpoint(tmp_path / name, replace(small_kinds()["gpt"], heads=heads), ByteTokenizer())
        for name, heads in (("one", 2), ("other", 4))
    )
    assert float((answer(one) - answer(other)).abs().max()) > 1e-3


def test_the_card_tells_what_is_known_and_what_nobody_measured(tmp_path: Path) -> None:
    path = checkpoint(tmp_path, small_kinds()["gated"], ByteTokenizer())
    assert cli.main(["export", str(path), "--to", str(tmp_path / "bare")]) == 0
    card = (tmp_path / "bare" / "README.md").read_text()
    assert "| floor: bigram | 2.4000 |" in card
    assert "| cross-entropy | not measured |" in card
    assert "Not measured: no control" in card
    interval = {"value": 1.5, "low": 1.4, "high": 1.6, "n": 40}
    floors = [{"name": "bigram", "ce": interval | {"value": 2.0}, "below": interval | {"value": 0.5}}]
    scores = {"ce": interval, "bits_per_byte": interval, "floors": floors}
    report = {"kind": "gpt", "name": "x/step-1", "step": 7, "scores": scores}
    (tmp_path / "told.json").write_text(json.dumps(report))
    told = str(tmp_path / "told.json")
    words = ["export", str(path), "--to", str(tmp_path / "full"), "--evaluation", told, "--control", told]
    assert cli.main(words) == 0
    card = (tmp_path / "full" / "README.md").read_text()
    assert "| cross-entropy | 1.5000 | 1.4000 to 1.6000 | 40 documents |" in card
    assert "| below the bigram floor by | 0.5000 |" in card
    assert "| gpt, step 7 | 1.5000 |" in card


def test_what_cannot_be_exported_is_refused_and_leaves_nothing(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = checkpoint(tmp_path, small_kinds()["gpt"], ByteTokenizer())
    (tmp_path / "full").mkdir()
    (tmp_path / "full" / "mine.txt").touch()
    assert cli.main(["export", str(path), "--to", str(tmp_path / "full")]) == 3
    assert "it is there already" in capsys.readouterr().err
    (tmp_path / "no.json").write_text("[]")
    words = ["export", str(path), "--to", str(tmp_path / "out"), "--evaluation", str(tmp_path / "no.json")]
    assert cli.main(words) == 2
    data = bytearray((path / "model.safetensors").read_bytes())
    data[-1] ^= 1
    (path / "model.safetensors").write_bytes(data)
    assert cli.main(["export", str(path), "--to", str(tmp_path / "out")]) == 3
    assert sorted(one.name for one in tmp_path.iterdir()) == ["checkpoints", "full", "no.json"]


def test_averaged_weights_are_exported_where_they_are_asked_for(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = checkpoint(tmp_path / "with", small_kinds()["gpt"], ByteTokenizer(), ema=0.9)
    assert cli.main(["export", str(path), "--to", str(tmp_path / "out"), "--averaged"]) == 0
    written = load_file(tmp_path / "out" / "model.safetensors")
    average, last = load_file(path / "average.safetensors"), load_file(path / "model.safetensors")
    assert all(torch.equal(written[name], one) for name, one in average.items())
    assert not all(torch.equal(written[name], one) for name, one in last.items())
    bare = checkpoint(tmp_path / "without", small_kinds()["gpt"], ByteTokenizer())
    assert cli.main(["export", str(bare), "--to", str(tmp_path / "no"), "--averaged"]) == 3
    assert "holds no averaged weights" in capsys.readouterr().err
