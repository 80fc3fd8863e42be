"""The R that weight decay alone predicts, before a run has done a step."""

from pathlib import Path

import numpy as np
import pytest
import torch

from tests.trainer.evals.probes.test_probe import CPU, SMALL, VOCAB
from tests.trainer.loop.tiny import events, run
from trainer.config.resolve import resolve
from trainer.config.schema import RunConfig
from trainer.data import Batches
from trainer.evals.probes.decay import FIRST_DELTA, decayed_scales, expected_R
from trainer.evals.probes.decay_prediction import DecayPrediction, decay_prediction
from trainer.models import build
from trainer.step.lr_schedule import schedule_for

TEXT = np.random.default_rng(2).integers(VOCAB, size=4096).astype(np.uint16)
U = 0.4
DECAYED = "optim.decay_omega=true"


def predicted(kind: str, *more: str) -> tuple[RunConfig, DecayPrediction | None]:
    torch.set_num_threads(1)
    wishes = [*SMALL, f"model.kind={kind}", "model.noise=0", "optim.lr=0.01", "optim.weight_decay=5", *more]
    config = resolve(None, overrides=[*wishes, "steps=40", "context=16"]).config
    schedule = schedule_for(config.optim, config.steps)
    batches = Batches(TEXT, config.context, config.batch, config.seed)
    return config, decay_prediction(config, schedule, CPU, VOCAB, batches)


def scales(config: RunConfig, *steps: int) -> list[float]:
    schedule = schedule_for(config.optim, config.steps)
    return decayed_scales(steps, schedule.rate, config.optim.weight_decay)


def test_of_the_published_v3_it_is_the_closed_form_at_the_decay_of_that_step() -> None:
    config, found = predicted("kssm-v3-original", DECAYED, "model.oscillators=64")
    assert found is not None
    first, middle, last = (found.at(step, U) for step in (1, 20, 40))
    wanted = [expected_R(a, np.asarray([U]), config.model.oscillators) for a in scales(config, 1, 20, 40)]
    assert [first, middle, last] == pytest.approx(wanted)
    assert first < middle < last


def test_without_decay_of_omega_only_the_noise_shrinks_and_R_stays() -> None:
    config, found = predicted("kssm-v3-original")
    assert found is not None
    begun, a = found.at(0, U), scales(config, 40)[0]
    still = expected_R(1.0, np.asarray([U]), config.model.oscillators, FIRST_DELTA * a)
    assert found.at(40, U) == pytest.approx(still)
    assert still == pytest.approx(begun, rel=0.02)


def test_of_ours_it_is_the_untrained_model_with_omega_shrunk() -> None:
    generator = torch.get_rng_state()
    config, found = predicted("kssm-v3", DECAYED)
    assert torch.equal(torch.get_rng_state(), generator)  # the twin was drawn without a trace
    assert found is not None
    torch.manual_seed(config.seed)
    twin = build(config.model, VOCAB).eval()
    inputs = torch.from_numpy(Batches(TEXT, 16, config.batch, config.seed).batch_at(0)[0])[:2]
    a = scales(config, 40)[0]
    assert a < 0.5
    with torch.no_grad():
        assert found.at(0, U) == pytest.approx(float(twin.features(inputs).R.mean()))
        for name, one in twin.named_parameters():
            if name.endswith(".omega"):
                one.mul_(a)
        assert found.at(40, U) == pytest.approx(float(twin.features(inputs).R.mean()), abs=5e-3)


@pytest.mark.parametrize(
    ("kind", "more"),
    [("kssm-v3", ()), ("gpt", (DECAYED,)), ("kssm-v3", ("model.dynamics=ema", DECAYED))],
)
def test_where_nothing_decays_nothing_is_predicted(kind: str, more: tuple[str, ...]) -> None:
    assert predicted(kind, *more)[1] is None


def test_rows_carry_it_and_a_resume_goes_on_where_it_was(tmp_path: Path, text: Path) -> None:
    out, again = tmp_path / "run", tmp_path / "again"
    sets = ["model.kind=kssm-v3-original", DECAYED, "optim.weight_decay=9", "probe.every=0", "steps=3"]
    assert run(out, text, sets=sets) == 0
    assert run(again, text, "--from", str(out / "checkpoints" / "step-00000002"), sets=sets) == 0
    told = {row["step"]: row["R_predicted"] for row in events(out, "metrics")}
    assert len(set(told.values())) == len(told) == 3
    assert {row["step"]: row["R_predicted"] for row in events(again, "metrics")} == {3: told[3]}
