"""Every kind of model does everything on a device that refuses what CUDA and MPS refuse."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any, get_args

import msgspec
import pytest
import torch

from tests.trainer.device.strict import StrictError, strict_device
from tests.trainer.evals.trained import state_root
from tests.trainer.loop.tiny import events, last_word, run, write_text
from trainer import cli
from trainer.config.model import Kind, ModelConfig
from trainer.config.resolve import resolve
from trainer.config.schema import RunConfig
from trainer.device.device import open_device, own_device
from trainer.evals import sections
from trainer.evals.causality import correlation, memory, order_dependence, reach
from trainer.evals.drawing import Sampling
from trainer.evals.generate import sample
from trainer.evals.interventions import document_scores
from trainer.evals.probes.probe import probe
from trainer.evals.validation import validate
from trainer.job.outcome import RefusedError
from trainer.job.rank import ALONE
from trainer.loop.setup import build_state
from trainer.models import LanguageModel, LossOutput
from trainer.models.forms import small_forms, small_kinds
from trainer.step import optimizer_step
from trainer.step.metrics import names_of
from trainer.step.optimizer_step import Batch, to_device

SETS = (
    "model.layers=1", "steps=1", "batch=2", "checkpoint.every=1", "probe.every=1", "optim.warmup=1",
    "optim.amp=auto", "eval.tokens=32", "eval.sample_tokens=2", "device=auto", "data.val_fraction=0.5",
    "data.block_kib=1",
)  # fmt: skip
COMMANDS = (
    ("sample", "--tokens", "3"),
    ("evaluate", "--documents", "4", "--texts", "1", "--length", "3"),
    ("causality", "--documents", "4"),
)


@pytest.fixture(name="text", scope="module")
def text_fixture(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """One text and one token cache for all runs."""
    folder = tmp_path_factory.mktemp("device")
    with state_root(folder / "home"):
        yield write_text(folder / "text.txt")


@pytest.fixture(autouse=True)
def few_windows(monkeypatch: pytest.MonkeyPatch) -> None:
    """One window a document and one trial a place: here it matters what runs, not what comes out."""
    monkeypatch.setattr(sections, "LONGEST", 17)
    monkeypatch.setattr(sections, "FEWEST", 4)
    monkeypatch.setattr(reach, "TRIALS", 1)
    monkeypatch.setattr(reach, "PLACES", (31,))
    monkeypatch.setattr(order_dependence, "TEXTS", 2)
    monkeypatch.setattr(memory, "EARLY", 1)
    monkeypatch.setattr(memory, "LATE", 3)
    monkeypatch.setattr(correlation, "SHUFFLES", 4)


def sets_of(model: ModelConfig) -> list[str]:
    """The words that make a run's model this one."""
    plain: dict[str, Any] = msgspec.to_builtins(model)
    return [
        f"model.{key}={str(value).lower() if value in (True, False) else value}"
        for key, value in plain.items()
    ]


def everything(out: Path, text: Path, *sets: str) -> None:
    """Train, resume, sample, evaluate and examine; each must end well."""
    assert run(out, text, sets=(*sets, *SETS)) == 0, last_word(out)["reason"]
    assert run(out, text, "--resume", sets=(*sets, *SETS, "steps=2")) == 0, last_word(out)["reason"]
    for name, *words in COMMANDS:
        assert cli.main([name, str(out), *words]) == 0, name


def test_every_kind_is_walked() -> None:
    assert set(small_kinds()) == set(get_args(Kind))


@pytest.mark.parametrize("kind", sorted(small_kinds()))
def test_every_kind_trains_resumes_samples_and_is_evaluated_on_mps(
    kind: str, tmp_path: Path, text: Path
) -> None:
    with strict_device("mps"):
        everything(tmp_path / "run", text, *sets_of(small_kinds()[kind]))


def test_cuda_without_an_index_is_its_first_device(tmp_path: Path, text: Path) -> None:
    with strict_device("cuda"):
        everything(tmp_path / "run", text, "model.kind=gpt", "model.dim=16", "model.heads=2")
        assert [str(open_device(name, 1).place) for name in ("auto", "cuda")] == ["cuda:0"] * 2
    assert events(tmp_path / "run", "metrics")[-1]["mfu"] > 0, "of a card whose peak is known"


def test_one_of_several_cuda_devices_is_taken_by_its_index() -> None:
    with strict_device("cuda", count=2):
        assert str(open_device("cuda:1", 1).place) == "cuda:1"
        assert str(open_device(own_device("cuda", ALONE), 1).place) == "cuda:0"
        with pytest.raises(RefusedError, match="there is cuda:0, cuda:1, cpu"):
            open_device("cuda:2", 1)


@pytest.mark.parametrize(
    ("form", "place"),
    [*((form, "mps") for form in sorted(small_forms())), ("mobius", "cuda"), ("noisy", "cuda")],
)
def test_every_form_of_the_oscillators_steps_without_waiting(form: str, place: str) -> None:
    with strict_device(place) as rules:
        step_once(RunConfig(model=small_forms()[form], batch=2, context=8), rules)


def step_once(config: RunConfig, rules: Any) -> None:
    """Step, look, validate and sample, as a run does."""
    device = open_device("auto", torch.get_num_threads())
    state = build_state(config, device, 16, 0)
    tokens = torch.randint(16, (2, 9)).numpy()
    batch = to_device((tokens[:, :-1].copy(), tokens[:, 1:].copy()), device)
    means, norm = optimizer_step.train_step(state, config, device, batch)
    waits = rules.waits
    assert torch.cat((means[:2], norm[None])).isfinite().all()
    assert rules.waits == waits + 1  # reading them is what waits
    if "R" in names_of(config.model):
        probe(state, device, batch)
    assert validate(state, config, device, tokens[0], 1.0, lambda: None)["val_ce"] > 0
    assert len(sample(state.model, device, [1], 2, Sampling()).ids) == 2


# Negative controls: the stand-in is red on what was wrong, and on its like.


def test_torch_itself_refuses_cuda_without_an_index() -> None:
    with strict_device("cuda"), pytest.raises(ValueError, match="specified index"):
        torch.cuda.set_device(torch.device("cuda"))


def careless(arrays: tuple[Any, Any], device: Any) -> Batch:
    """Copy as the trainer did: from pageable memory, without waiting."""
    inputs, targets = (torch.from_numpy(one).to(device.place, non_blocking=True) for one in arrays)
    return Batch(inputs, targets)


@pytest.mark.parametrize("place", ["mps", "cuda"])
def test_a_copy_from_memory_that_may_be_freed_is_refused(
    place: str, tmp_path: Path, text: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for module in ("train", "setup"):
        monkeypatch.setattr(f"trainer.loop.{module}.to_device", careless)
    with strict_device(place):
        assert run(tmp_path / "run", text, sets=("model.kind=gpt", *SETS)) == 1
    assert "pageable memory" in last_word(tmp_path / "run")["reason"]


def test_float64_on_mps_is_refused(tmp_path: Path, text: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    out = tmp_path / "run"
    with strict_device("mps"):
        assert run(out, text, sets=("model.kind=gpt", *SETS)) == 0
        with monkeypatch.context() as patch:
            patch.setattr(document_scores, "_sum", lambda values: values.double().sum(1).cpu())
            with pytest.raises(TypeError, match="float64"):
                cli.main(["evaluate", str(out), "--documents", "4", "--texts", "1"])
        with pytest.raises(TypeError, match="complex64"):
            torch.polar(torch.ones(2, device="mps"), torch.ones(2, device="mps"))


@pytest.mark.parametrize("wait", ["item", "nonzero", "cpu", "constant"])
def test_waiting_inside_a_step_is_refused(wait: str, monkeypatch: pytest.MonkeyPatch) -> None:
    real = LanguageModel.loss
    waits: dict[str, Any] = {
        "item": lambda one: float(one.ce),
        "nonzero": lambda one: one.total.reshape(1).nonzero(),
        "cpu": lambda one: one.ce.cpu(),
        "constant": lambda one: torch.tensor([1.0], device=one.ce.device),
    }

    def waiting(self: Any, tokens: torch.Tensor, targets: torch.Tensor) -> LossOutput:
        found = real(self, tokens, targets)
        waits[wait](found)
        return found

    config = resolve(None, overrides=["model.kind=gpt", "model.dim=16", "model.layers=1", "batch=2"]).config
    with strict_device("mps") as rules:
        step_once(config, rules)
        monkeypatch.setattr(LanguageModel, "loss", waiting)
        with pytest.raises(StrictError, match="inside a step"):
            step_once(config, rules)


def test_what_lies_on_two_devices_does_not_mix() -> None:
    with strict_device("mps"):
        here = torch.ones(2, device="mps")
        with pytest.raises(RuntimeError, match="same device"):
            here + torch.ones(2)
        with pytest.raises(RuntimeError, match="generator"):
            torch.randn(2, device="mps", generator=torch.Generator())
        with pytest.raises(TypeError, match="numpy"):
            here.numpy()


def test_torch_is_itself_again_afterwards() -> None:
    before = [torch.Generator, torch.Tensor.to, torch.autocast, torch.tensor]
    with strict_device("cuda"):
        assert torch.cuda.is_available()
        assert before != [torch.Generator, torch.Tensor.to, torch.autocast, torch.tensor]
    assert not torch.cuda.is_available()
    assert before == [torch.Generator, torch.Tensor.to, torch.autocast, torch.tensor]
