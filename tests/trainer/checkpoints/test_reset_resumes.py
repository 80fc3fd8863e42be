"""Runs whose documents reset the state: they resume in the same bits, and kinds that cannot are refused."""

import json
import shutil
from pathlib import Path

import pytest

from tests.trainer.loop.tiny import moments, run, weights
from trainer.config.config_error import ConfigError
from trainer.config.resolve import resolve

STEPS, CUT = 4, 2
SETS = (
    "model.layers=2", "model.heads=2", "model.noise=0.1", "optim.amp=bf16", "micro_batch=2",
    "data.block_kib=1", "eval.every=2", "eval.sample_tokens=0", f"steps={STEPS}", "checkpoint.every=1",
)  # fmt: skip
RESET = "data.reset=document"


@pytest.fixture(scope="module", name="short")
def _short_documents(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two thousand documents of some thirty bytes: two or so begin in each of these windows."""
    path = tmp_path_factory.mktemp("texts") / "short.jsonl"
    records = ({"text": f"Nr. {n} is {n * n} by {n % 7}."} for n in range(2000))
    path.write_text("".join(json.dumps(one) + "\n" for one in records))
    return path


@pytest.mark.parametrize("kind", ["kssm-v3", "gated", "gpt"])
def test_a_run_that_resets_goes_on_in_the_same_bits_and_is_not_one_that_does_not(
    tmp_path: Path, short: Path, kind: str
) -> None:
    whole, cut, plain = (tmp_path / name for name in ("whole", "cut", "plain"))
    sets = (*SETS, f"model.kind={kind}")
    assert run(whole, short, sets=(*sets, RESET)) == 0
    shutil.copytree(whole, cut)
    for step in range(CUT + 1, STEPS + 1):
        shutil.rmtree(cut / "checkpoints" / f"step-{step:08d}")
    assert run(cut, short, "--resume", sets=(*sets, RESET)) == 0
    assert weights(cut, STEPS) == weights(whole, STEPS)
    assert moments(cut, STEPS) == moments(whole, STEPS)
    assert run(plain, short, sets=sets) == 0
    assert weights(plain, STEPS) != weights(whole, STEPS)
    assert run(plain, short, "--resume", sets=(*sets, RESET, f"steps={STEPS + 1}")) != 0


@pytest.mark.parametrize(
    "form",
    [
        ("model.kind=bolted",),
        ("model.kind=kssm-v1-original",),
        ("model.kind=gpt", "model.places=learned"),
        ("model.dynamics=mobius",),
        ("model.feedback=true",),
    ],
)
def test_a_form_that_cannot_reset_is_refused_with_those_that_can(form: tuple[str, ...]) -> None:
    resolve("kssm-v3-tiny", overrides=form)
    with pytest.raises(ConfigError, match=r"data.reset = document .* kssm-v3 .* gated, and gpt .* never"):
        resolve("kssm-v3-tiny", overrides=(*form, RESET))
