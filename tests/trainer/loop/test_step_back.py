"""A run in trouble steps back, alone, and ends as well as the clean one; a resume inside decides the same."""

import random
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from tests.trainer.evals.trained import state_root
from tests.trainer.loop.tiny import events, last_word, moments, run, weights
from tests.trials import trials
from trainer.data import Batches
from trainer.evals.validation import validate
from trainer.job.stop import Stop
from trainer.step import optimizer_step
from trainer.step.lr_schedule import Schedule

STEPS, BAD = 220, 85
LONG = (
    f"steps={STEPS}", "optim.warmup=20", "optim.lr=0.01", "checkpoint.every=40", "eval.tokens=2000",
    "eval.sample_tokens=0", "log.every=5", "probe.every=0", "model.kind=gpt", "model.heads=2",
)  # fmt: skip
Patch = pytest.MonkeyPatch


def no_number(patch: Patch) -> None:
    """Gradients of six batches in a row are no number."""
    changed_gradients(patch, range(BAD, BAD + 6), torch.nan)


def hundredfold(patch: Patch) -> None:
    """One batch's loss is a hundred times what it is."""
    changed_gradients(patch, (BAD,), 100.0)


def changed_gradients(patch: Patch, batches: Any, by: float) -> None:
    real = optimizer_step.accumulate

    def accumulate(state: Any, *rest: Any) -> torch.Tensor:
        means = real(state, *rest)
        if state.cursor in batches:
            for one in state.model.parameters():
                if one.grad is not None:
                    one.grad.mul_(by)
            means = means.clone()
            means[:2] *= by
        return means

    patch.setattr(optimizer_step, "accumulate", accumulate)


def corrupted(patch: Patch) -> None:
    """One batch is made of random bytes."""
    real = Batches.batch_at

    def batch_at(self: Batches, index: int) -> Any:
        inputs, targets = real(self, index)
        if index != BAD:
            return inputs, targets
        noise = np.random.default_rng(index)
        return tuple(noise.integers(0, 256, one.shape) for one in (inputs, targets))

    patch.setattr(Batches, "batch_at", batch_at)


def exploding(patch: Patch) -> None:
    """The rate is a hundred times too high for four steps."""
    real = Schedule.rate
    patch.setattr(
        Schedule, "rate", lambda self, step: real(self, step) * (100 if BAD <= step < BAD + 4 else 1)
    )


def language(path: Path) -> Path:
    """Write a text in which each of 16 letters has three that may follow: learnt within a hundred steps."""
    draw, letters = random.Random(1), "abcdefghijklmnop"
    followers = {letter: draw.sample(letters, 3) for letter in letters}
    text = [draw.choice(letters)]
    for index in range(90_000):
        text.append("\n\n" if index % 60 == 59 else draw.choice(followers.get(text[-1], letters)))
    path.write_text("".join(text))
    return path


TROUBLES: dict[str, tuple[Callable[[Patch], None], str]] = {
    "no number": (no_number, "not finite in 4 steps in a row"),
    "hundredfold loss": (hundredfold, "a spike of the loss"),
    "corrupted batch": (corrupted, "a spike of the loss"),
    "exploding rate": (exploding, "a spike of the loss"),
}


@pytest.fixture(name="text", scope="module")
def text_fixture(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """One text and one token cache for all runs."""
    folder = tmp_path_factory.mktemp("trouble")
    with state_root(folder / "home"):
        yield language(folder / "text.txt")


@pytest.fixture(name="clean", scope="module")
def clean_fixture(tmp_path_factory: pytest.TempPathFactory, text: Path) -> Path:
    """The run without trouble."""
    out = tmp_path_factory.mktemp("clean") / "run"
    assert run(out, text, sets=LONG) == 0
    return out


def score(out: Path) -> float:
    value: float = events(out, "eval")[-1]["val_ce"]
    return value


def backs(out: Path) -> list[dict[str, Any]]:
    return [row for row in events(out, "note") if "stepped back" in row["message"]]


def test_a_healthy_run_never_steps_back(clean: Path) -> None:
    assert not backs(clean)
    assert not events(clean, "resume")
    assert not events(clean, "step_back")


@pytest.mark.parametrize("trouble", TROUBLES)
def test_a_run_in_trouble_ends_unattended_as_well_as_the_clean_one(
    trouble: str, tmp_path: Path, text: Path, clean: Path, monkeypatch: Patch
) -> None:
    bring, reason = TROUBLES[trouble]
    bring(monkeypatch)
    out = tmp_path / "run"
    assert run(out, text, sets=LONG) == 0
    assert score(out) <= 1.02 * score(clean)
    told = [row["message"] for row in events(out, "note")]
    assert any(reason in one for one in told)
    assert backs(out)
    went_to = events(out, "resume")
    assert [row["checkpoint"] for row in went_to] == ["step-00000080"] * len(backs(out))
    told_by_event = events(out, "step_back")
    assert [(one["step"], one["checkpoint"]) for one in told_by_event] == [(80, "step-00000080")] * len(
        went_to
    )
    assert [one["times"] for one in told_by_event] == list(range(1, len(went_to) + 1))
    assert reason in told_by_event[0]["reason"]
    assert told_by_event[0]["rate"] < 1
    rates = {row["step"]: row["lr"] for row in events(out, "metrics")}
    whole = {row["step"]: row["lr"] for row in events(clean, "metrics")}
    assert rates[BAD + 5] < whole[BAD + 5], "the rate was not lowered"
    assert rates[STEPS] == whole[STEPS], "the rate did not come back"


def test_a_rate_that_is_too_high_from_the_first_step_begins_again_with_a_tenth(
    tmp_path: Path, text: Path
) -> None:
    sets = (*LONG, "steps=60", "optim.lr=1", "optim.warmup=0", "model.layers=2")
    assert run(tmp_path / "run", text, sets=sets) == 0
    (back, *_) = events(tmp_path / "run", "step_back")
    assert "too high since the first step" in back["reason"]
    assert (back["step"], back["checkpoint"], back["left_out"], back["until"]) == (0, "", 0, 0)
    assert back["rate"] == pytest.approx(0.1)
    assert run(tmp_path / "off", text, sets=(*sets, "guard.restart=0", "guard.rollbacks=0")) == 0
    assert not events(tmp_path / "off", "step_back")
    assert score(tmp_path / "run") < 0.95 * score(tmp_path / "off")


def test_without_steps_back_an_exploding_rate_destroys_what_was_learnt(
    tmp_path: Path, text: Path, clean: Path, monkeypatch: Patch
) -> None:
    """Negative control."""
    exploding(monkeypatch)
    assert run(tmp_path / "run", text, sets=(*LONG, "guard.rollbacks=0")) == 0
    assert not backs(tmp_path / "run")
    assert score(tmp_path / "run") > 1.05 * score(clean)


@pytest.mark.parametrize("trial", range(trials(2, 20)))
def test_a_resume_inside_of_a_step_back_is_bit_exact(
    trial: int, tmp_path: Path, text: Path, monkeypatch: Patch
) -> None:
    """Killed (the even trials) or stopped at a step near the trouble, before it, in it or after it."""
    draw = random.Random(trial)
    name = list(TROUBLES)[trial % 4] if trials(0, 1) else ("exploding rate", "no number")[trial]
    sets = (*LONG, "steps=115", "optim.horizon=200", "model.kind=kssm-v3", "model.noise=0.05")
    TROUBLES[name][0](monkeypatch)
    whole, parts = tmp_path / "whole", tmp_path / "parts"
    assert run(whole, text, sets=sets) == 0
    taken, most = 0, draw.randrange(85, 114)
    real = Stop.check

    def check(self: Stop) -> None:
        nonlocal taken
        taken += 1
        if taken > most:
            if trial % 2 == 0:
                raise KeyboardInterrupt  # nothing is saved, as after a kill
            self._noticed, self._signal = True, "a trial"
        real(self)

    with monkeypatch.context() as patch:
        patch.setattr(Stop, "check", check)
        assert run(parts, text, sets=sets) == (130 if trial % 2 == 0 else 0)
    assert not (parts / "checkpoints" / "step-00000115").exists()
    assert run(parts, text, "--resume", sets=sets) == 0, last_word(parts)
    assert weights(parts, 115) == weights(whole, 115)
    assert moments(parts, 115) == moments(whole, 115)
    assert backs(whole)
    assert backs(whole)[-1]["message"].split(";")[0] == backs(parts)[-1]["message"].split(";")[0]


def test_a_batch_of_what_is_no_token_is_left_out_and_too_many_end_the_run(
    tmp_path: Path, text: Path, monkeypatch: Patch
) -> None:
    real, bad = Batches.batch_at, set[int]()

    def batch_at(self: Batches, index: int) -> Any:
        inputs, targets = real(self, index)
        if index in bad:
            targets[1, 2] = 256 if index % 2 else -1
        return inputs, targets

    sets = (*LONG, "steps=8", "checkpoint.every=4", "guard.rollbacks=3")
    monkeypatch.setattr(Batches, "batch_at", batch_at)
    bad |= {5, 6}
    assert run(tmp_path / "whole", text, sets=sets) == 0
    notes = [row["message"] for row in events(tmp_path / "whole", "note") if "left out" in row["message"]]
    assert [one.split()[1] for one in notes] == ["5", "6"]
    assert run(tmp_path / "parts", text, sets=(*sets, "steps=4", "optim.horizon=8")) == 0
    assert run(tmp_path / "parts", text, "--resume", sets=(*sets, "optim.horizon=8")) == 0
    assert weights(tmp_path / "parts", 8) == weights(tmp_path / "whole", 8)
    bad |= set(range(3, 12))
    assert run(tmp_path / "many", text, sets=sets) == 1
    assert "the 4th in a row: the token cache is damaged" in last_word(tmp_path / "many")["reason"]


def test_an_evaluation_that_a_stop_cut_short_is_made_up_for(
    tmp_path: Path, text: Path, monkeypatch: Patch
) -> None:
    """Early stop counts evaluations: without the one that was cut short, the run would end later."""
    stops, seen = list[int](), list[int]()

    def scored(state: Any, config: Any, device: Any, tokens: Any, size: float, check: Any, *how: Any) -> Any:
        seen.append(state.step)
        if state.step in stops:
            check.__self__._noticed, check.__self__._signal = True, "a trial"
        found = validate(state, config, device, tokens, size, check, *how)
        return found | {"val_ce": 5 + state.step / 100}

    monkeypatch.setattr("trainer.loop.report.validate", scored)
    sets = (*LONG, "steps=20", "eval.every=4", "guard.patience=2")
    whole, parts = tmp_path / "whole", tmp_path / "parts"
    assert run(whole, text, sets=sets) == 0
    stops.append(8)
    assert run(parts, text, sets=sets) == 0
    assert last_word(parts)["outcome"] == "stopped"
    stops.clear()
    assert run(parts, text, "--resume", sets=sets) == 0
    assert seen == [4, 8, 12, 4, 8, 8, 12]
    assert [row["step"] for row in events(parts, "eval")] == [row["step"] for row in events(whole, "eval")]
    assert last_word(parts)["step"] == last_word(whole)["step"] == 12
    assert last_word(whole)["outcome"] == "succeeded"
    assert any("ended early" in row["message"] for row in events(whole, "note"))


def test_a_plateau_lowers_the_rate_to_the_end(tmp_path: Path, text: Path) -> None:
    sets = (*LONG, "steps=20", "eval.every=4", "guard.plateau=1", "optim.lr=0.9", "optim.warmup=0",
            "guard.restart=0")  # fmt: skip
    assert run(tmp_path / "run", text, sets=(*sets, "optim.schedule=constant", "log.every=1")) == 0
    rates = [row["lr"] for row in events(tmp_path / "run", "metrics")]
    lowered = [
        row for row in events(tmp_path / "run", "note") if "of what the schedule says, from" in row["message"]
    ]
    assert rates[0] == 0.9
    assert len(lowered) >= 1
    before = [row for row in lowered if row["step"] < 20]
    assert rates[-1] == 0.9 * 0.5 ** len(before)
