from pathlib import Path

import pytest

from trainer.config.config_error import ConfigError
from trainer.config.data_source import demand_source
from trainer.config.keys import flatten, keys, nest
from trainer.config.resolve import from_values, override, resolve


@pytest.mark.parametrize(
    ("wrong", "meant"),
    [
        ("optim.lrr=1", "'optim.lr'"),
        ("lr=0.1", "'optim.lr'"),
        ("stepz=3", "'steps'"),
        ("model.oscilators=8", "'model.oscillators'"),
        ("checkpoint.evry=1", "'checkpoint.every'"),
        ("modle.dim=8", "'model.dim'"),
    ],
)
def test_unknown_key_names_the_nearest(wrong: str, meant: str) -> None:
    with pytest.raises(ConfigError, match="unknown key") as caught:
        resolve(None, overrides=[wrong])
    assert f"did you mean {meant}" in str(caught.value)


def test_key_that_is_like_nothing_gets_no_wrong_hint() -> None:
    with pytest.raises(ConfigError) as caught:
        resolve(None, overrides=["qqqq=1"])
    assert "did you mean" not in str(caught.value)


def test_every_fault_is_named_with_its_key_origin_and_remedy() -> None:
    with pytest.raises(ConfigError) as caught:
        resolve(None, overrides=["optim.lr=7", "batch=many", "zzzz=1"])
    text = str(caught.value)
    assert "optim.lr = 7 (--set): expected `float` <= 1.0" in text
    assert "--set optim.lr=0.003" in text
    assert "batch = 'many' (--set): expected `int`" in text
    assert "unknown key 'zzzz'" in text


def test_values_that_do_not_fit_together_are_refused() -> None:
    with pytest.raises(ConfigError, match=r"oscillators \(10\) must be a multiple of group \(4\)"):
        resolve(None, overrides=["model.oscillators=10", "model.group=4"])
    with pytest.raises(ConfigError, match="lower micro_batch"):
        resolve(None, overrides=["batch=4", "micro_batch=8"])


def test_section_given_as_a_value_is_refused() -> None:
    with pytest.raises(ConfigError, match=r"'model' .* is a section"):
        resolve(None, overrides=["model=3"])


def test_scientific_notation_is_a_number() -> None:
    assert resolve(None, overrides=["optim.lr=3e-4"]).config.optim.lr == 3e-4


def test_override_without_a_value_is_refused() -> None:
    with pytest.raises(ConfigError, match="has no value"):
        resolve(None, overrides=["steps"])


def test_later_sources_have_the_last_word_and_every_value_knows_its_origin(tmp_path: Path) -> None:
    mine = tmp_path / "mine.yaml"
    mine.write_text("steps: 7\noptim: {lr: 2e-3, warmup: 3}\n")
    resolved = resolve("kssm-v3-tiny", files=[mine], overrides=["optim.warmup=5"], data="recall")
    assert (resolved.config.steps, resolved.config.optim.lr, resolved.config.optim.warmup) == (7, 2e-3, 5)
    assert resolved.origins["steps"] == f"file {mine}"
    assert resolved.origins["optim.warmup"] == "--set"
    assert resolved.origins["data.source"] == "--data"
    assert resolved.origins["model.kind"] == "preset kssm-v3-tiny"
    assert resolved.origins["seed"] == "default"
    assert set(resolved.origins) == set(keys())


def test_data_path_becomes_absolute_and_a_named_source_stays(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "text.txt").write_text("words")
    monkeypatch.chdir(tmp_path)
    assert resolve(None, data="text.txt").config.data.source == str(tmp_path / "text.txt")
    assert resolve(None, data="python-docs").config.data.source == "python-docs"
    mine = tmp_path / "mine.yaml"
    mine.write_text("data: {source: text.txt}\n")
    set_here = ["data.source=text.txt"]
    for resolved in (
        resolve(None, overrides=set_here),
        resolve(None, files=[mine]),
        override(resolve(None), set_here),
    ):
        assert resolved.config.data.source == str(tmp_path / "text.txt")
    (tmp_path / "recall").mkdir()
    assert resolve(None, overrides=["data.source=recall"]).config.data.source == "recall"


@pytest.mark.parametrize("typed", ["nosuch.txt", "~nobody-of-that-name/x", "a\0b"])
def test_data_that_does_not_exist_stays_as_it_was_typed(typed: str) -> None:
    assert resolve(None, data=typed).config.data.source == typed
    with pytest.raises(ConfigError, match=r"data\.source = .* \(--data\): there is no file or folder"):
        demand_source(typed, "--data")


def test_data_that_exists_or_has_a_name_is_accepted(tmp_path: Path) -> None:
    for fine in ("python-docs", "recall", str(tmp_path)):
        demand_source(fine, "--data")


def test_unknown_preset_names_the_nearest() -> None:
    with pytest.raises(ConfigError, match="did you mean 'kssm-v3-tiny'"):
        resolve("kssm-v3-tny")


def test_key_that_stands_twice_in_a_file_is_refused(tmp_path: Path) -> None:
    twice = tmp_path / "twice.yaml"
    twice.write_text("steps: 3\nsteps: 4\n")
    with pytest.raises(ConfigError, match="'steps' stands twice"):
        resolve(None, files=[twice])


@pytest.mark.parametrize("text", ["- a\n- b\n", "just words\n", "a: [unclosed\n"])
def test_file_that_is_no_mapping_is_refused_by_name(tmp_path: Path, text: str) -> None:
    bad = tmp_path / "bad.yaml"
    bad.write_text(text)
    with pytest.raises(ConfigError, match=r"bad\.yaml"):
        resolve(None, files=[bad])


def test_stored_values_come_back_as_the_same_configuration() -> None:
    resolved = resolve("kssm-v3-tiny", overrides=["eval.prompt=It was", "optim.lr=1e-3"])
    assert from_values(resolved.values()) == resolved.config
    assert nest(flatten(resolved.values())) == resolved.values()


def test_stored_configuration_of_a_later_version_is_refused() -> None:
    values = resolve(None).values()
    values["optim"]["lookahead"] = 5
    with pytest.raises(ConfigError, match=r"optim\.lookahead"):
        from_values(values)


def test_override_of_a_stored_configuration_keeps_the_other_origins() -> None:
    changed = override(resolve("kssm-v3-tiny"), ["steps=9"])
    assert changed.config.steps == 9
    assert changed.origins["steps"] == "--set"
    assert changed.origins["model.dim"] == "preset kssm-v3-tiny"
