"""Presets, overrides and their errors; the sizes that the presets promise."""

from pathlib import Path
from typing import Any

import pytest
import torch

from trainer.config.model import ModelConfig
from trainer.config.resolve import resolve
from trainer.models import LanguageModel, ModelSpecError, build, create
from trainer.models.gpt import GPT

VOCAB = 256


def size(preset: str) -> int:
    return create(preset, VOCAB).parameter_count()


@pytest.mark.parametrize("control", ["gpt-tiny", "gated-tiny", "bolted-tiny"])
def test_tiny_is_small_and_its_controls_are_its_size(control: str) -> None:
    assert size("kssm-v3-tiny") < 1_500_000
    assert size(control) == pytest.approx(size("kssm-v3-tiny"), rel=0.03)


def test_what_R_is_bolted_on_to_is_the_size_of_the_gpt() -> None:
    assert size("bolted-tiny") == pytest.approx(size("gpt-tiny"), rel=0.03)


@pytest.mark.parametrize("control", ["gpt", "gated"])
def test_the_larger_controls_are_the_size_of_kssm_v3(control: str) -> None:
    assert size("kssm-v3") == pytest.approx(3e6, rel=0.1)
    assert size(control) == pytest.approx(size("kssm-v3"), rel=0.03)


@pytest.mark.parametrize("control", ["gpt-28m", "gated-28m"])
def test_28m_and_its_controls_are_of_one_size_with_the_vocabulary_that_they_name(control: str) -> None:
    def count(preset: str) -> int:
        config = resolve(preset).config
        assert config.data.tokenizer == "bpe"
        with torch.device("meta"):
            return create(preset, config.data.vocab).parameter_count()

    assert count("kssm-v3-28m") == pytest.approx(28e6, rel=0.03)
    assert count(control) == pytest.approx(count("kssm-v3-28m"), rel=0.03)


def test_160m_and_its_controls_are_equal_within_a_hundredth() -> None:
    def count(preset: str) -> int:
        config = resolve(preset).config
        with torch.device("meta"):
            return create(preset, config.data.vocab).parameter_count()

    sizes = [count(f"{kind}-160m") for kind in ("kssm-v3", "gated", "gpt")]
    assert sizes[0] == pytest.approx(160e6, rel=0.01)
    assert max(sizes) <= 1.01 * min(sizes)


@pytest.mark.parametrize(
    "preset", [f"{kind}{size}" for kind in ("kssm-v3", "gated") for size in ("", "-28m", "-160m")]
)
def test_widths_of_larger_presets_suit_wide_registers(preset: str) -> None:
    model = resolve(preset).config.model
    assert model.dim % 8 == 0
    assert model.oscillators % 8 == 0


def test_heads_of_the_gpts_are_whole_registers_wide() -> None:
    widths = [resolve(preset).config.model for preset in ("gpt-tiny", "gpt", "gpt-28m", "gpt-160m")]
    assert [one.dim // one.heads for one in widths] == [32, 40, 64, 64]


def test_a_resolved_config_and_a_mapping_build_the_same_model() -> None:
    torch.manual_seed(3)
    one = build(ModelConfig(dim=32, layers=1, oscillators=16), 20)
    torch.manual_seed(3)
    other = build({"dim": 32, "layers": 1, "oscillators": 16}, 20)
    assert [name for name, _ in one.named_parameters()] == [name for name, _ in other.named_parameters()]
    assert all(torch.equal(a, b) for a, b in zip(one.parameters(), other.parameters(), strict=True))


def test_overrides_replace_what_the_preset_says() -> None:
    model: LanguageModel[object] = create("kssm-v3-tiny", VOCAB, layers=1, kind="gpt")
    assert isinstance(model, GPT)
    assert model.config.layers == 1
    assert model(torch.zeros(1, 3, dtype=torch.long)).R.shape == (1, 3, 0)


@pytest.mark.parametrize(
    ("preset", "overrides", "message"),
    [
        ("kssm-v3-tiny", {"ocillators": 8}, "did you mean 'oscillators'"),
        ("kssm-v3-tiny", {"zzzz": 8}, "known are kind, dim"),
        ("kssm-v3-tny", {}, "did you mean 'kssm-v3-tiny'"),
        ("kssm-v3-tiny", {"oscillators": 251}, "multiple of group"),
        ("kssm-v3-tiny", {"dim": 0}, "dim"),
        ("kssm-v3-tiny", {"layers": "four"}, "layers"),
        ("gpt-tiny", {"heads": 3}, "even whole number"),
        ("kssm-v3-tiny", {"u": "soft"}, "u"),
    ],
)
def test_errors_name_the_nearest_key_or_the_field(
    preset: str, overrides: dict[str, object], message: str
) -> None:
    with pytest.raises(ModelSpecError, match=message):
        create(preset, VOCAB, **overrides)


def test_preset_is_read_as_the_configuration_reads_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "presets").mkdir()
    (tmp_path / "presets" / "mine.yaml").write_text("model: {u: off, reg: 1e-1, dim: 16, layers: 1}\n")
    (tmp_path / "presets" / "bare.yaml").write_text("steps: 3\n")
    monkeypatch.setattr("trainer.config.presets.configs_dir", lambda: tmp_path)
    model: Any = create("mine", VOCAB)
    assert (model.config.u, model.config.reg) == ("off", 0.1)
    assert model.config == resolve("mine").config.model
    with pytest.raises(ModelSpecError, match="no section `model:`"):
        create("bare", VOCAB)


def test_an_empty_vocabulary_is_refused() -> None:
    with pytest.raises(ModelSpecError, match="vocab_size"):
        create("kssm-v3-tiny", 0)


def test_equal_seeds_give_equal_weights() -> None:
    models = []
    for seed in (1, 1, 2):
        torch.manual_seed(seed)
        models.append(create("kssm-v3-tiny", VOCAB, layers=1).state_dict())
    assert all(torch.equal(models[0][name], models[1][name]) for name in models[0])
    assert any(not torch.equal(models[0][name], models[2][name]) for name in models[0])
