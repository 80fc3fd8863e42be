"""Every kind of model goes on in the same bits: bf16, micro-batches, saves beside the steps."""

import json
import os
import random
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import torch

from tests.trainer.loop.tiny import events, moments, run, weights, words
from tests.trials import trials
from tests.waiting import wait_until
from trainer.loop import checkpoint, setup
from trainer.models.forms import SMALL, small_kinds
from trainer.step import optimizer_step

KINDS = sorted(small_kinds())
STEPS = 4
LONG = 200
SETS = (
    *(f"model.{key}={value}" for key, value in SMALL.items()), "model.noise=0.1", "model.dropout=0.1",
    "optim.amp=bf16", "micro_batch=2", "optim.ema=0.9", "eval.sample_tokens=0",
)  # fmt: skip
SHORT = (*SETS, f"steps={STEPS}", "checkpoint.every=1", "eval.every=2", "log.every=1")
TRIAL = (*SETS, f"steps={LONG}", "checkpoint.every=10", "eval.every=20", "log.every=1")
BY_TIME = frozenset({"at", "parent", "files", "seal", "owes_evaluation"})
SPAWNED = (
    "import sys; from trainer import cli; from trainer.loop import checkpoint as one; one.AT_ONCE_BYTES = 0; "
)


@pytest.fixture(autouse=True)
def _saves_beside_the_steps(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(checkpoint, "AT_ONCE_BYTES", 0)


def state(out: Path, step: int) -> dict[str, Any]:
    """All that a manifest tells of a state: generators, guard, schedule, scores; no clock and no hash."""
    raw = json.loads((out / "checkpoints" / f"step-{step:08d}" / "state.json").read_text())
    return {key: value for key, value in raw.items() if key not in BY_TIME}


def average(out: Path, step: int) -> bytes:
    return (out / "checkpoints" / f"step-{step:08d}" / "average.safetensors").read_bytes()


def equal(one: Path, other: Path, step: int) -> bool:
    return all(what(one, step) == what(other, step) for what in (weights, moments, average, state))


@pytest.fixture
def _no_number_in_two_batches(monkeypatch: pytest.MonkeyPatch) -> None:
    """So that the guard has something to remember, on both sides of wherever the run is cut."""
    real = optimizer_step.accumulate

    def accumulate(state: Any, *rest: Any) -> torch.Tensor:
        means = real(state, *rest)
        if state.cursor in (0, STEPS - 1):
            next(one.grad for one in state.model.parameters() if one.grad is not None).fill_(torch.nan)
        return means

    monkeypatch.setattr(optimizer_step, "accumulate", accumulate)


@pytest.mark.usefixtures("_no_number_in_two_batches")
@pytest.mark.parametrize("kind", KINDS)
def test_each_kind_goes_on_from_a_random_step_in_the_same_bits(tmp_path: Path, text: Path, kind: str) -> None:
    whole, cut = tmp_path / "whole", tmp_path / "cut"
    sets = (*SHORT, f"model.kind={kind}")
    assert run(whole, text, sets=sets) == 0
    after = random.Random(f"{kind} {os.getpid()}").randrange(1, STEPS)
    shutil.copytree(whole, cut)
    for step in range(after + 1, STEPS + 1):
        shutil.rmtree(cut / "checkpoints" / f"step-{step:08d}")
    assert run(cut, text, "--resume", sets=sets) == 0
    assert next(row["step"] for row in events(cut, "resume") if row["attempt"] == 2) == after
    told = state(whole, STEPS)
    assert (told["autocast"], told["micro_batch"], told["defence"]["rollbacks"]) == ("bf16", 2, 1)
    assert equal(cut, whole, STEPS), f"{kind} after {after}"


@pytest.mark.parametrize("lost", ["average", "defence", "noise"])
def test_what_a_resume_forgot_would_be_noticed(
    tmp_path: Path, text: Path, monkeypatch: pytest.MonkeyPatch, lost: str
) -> None:
    whole, cut = tmp_path / "whole", tmp_path / "cut"
    assert run(whole, text, sets=SHORT) == 0
    shutil.copytree(whole, cut)
    for step in range(2, STEPS + 1):
        shutil.rmtree(cut / "checkpoints" / f"step-{step:08d}")
    real = vars(setup)["restore"]

    def forgets(state: Any, *rest: Any) -> None:
        kept, defence = state.average.values, state.defence
        kept = {name: value.clone() for name, value in kept.items()}
        noise = state.noise.get_state()
        real(state, *rest)
        if lost == "average":
            state.average.values = kept
        elif lost == "defence":
            state.defence = defence
        else:
            state.noise.set_state(noise)

    monkeypatch.setattr("trainer.loop.setup.restore", forgets)
    assert run(cut, text, "--resume", sets=SHORT) == 0
    assert not equal(cut, whole, STEPS)


def spawned(out: Path, text: Path, *more: str, sets: tuple[str, ...]) -> "subprocess.Popen[str]":
    return subprocess.Popen(
        [
            sys.executable,
            "-c",
            f"{SPAWNED}sys.exit(cli.main(sys.argv[1:]))",
            *words(out, text, *more, sets=sets),
        ],
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        env={**os.environ, "OMP_NUM_THREADS": "1"},
    )


@pytest.mark.chaos
@pytest.mark.claim(
    "20 of 20 killed runs end in the same bits: every kind, bf16, micro-batches, background saves"
)
@pytest.mark.parametrize("trial", range(trials(0, 20)))
def test_kill_nine_of_each_kind_at_a_random_step(tmp_path: Path, text: Path, trial: int) -> None:
    whole, killed, sets = (
        tmp_path / "whole",
        tmp_path / "killed",
        (*TRIAL, f"model.kind={KINDS[trial % len(KINDS)]}"),
    )
    after = random.Random(trial).randrange(11, LONG - 40)
    assert run(whole, text, sets=sets) == 0
    process = spawned(killed, text, sets=sets)
    try:
        wait_until(
            lambda: any(row["step"] >= after for row in events(killed, "metrics")), 900, f"step {after}"
        )
    finally:
        process.kill()
        process.communicate()
    assert not (killed / "checkpoints" / f"step-{LONG:08d}").exists(), "it was to be killed on its way"
    resumed = spawned(killed, text, "--resume", sets=sets)
    said, _ = resumed.communicate(timeout=900)
    assert resumed.returncode == 0, said
    assert equal(killed, whole, LONG)
