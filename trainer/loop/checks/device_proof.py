"""Whether a device trains as the CPU does: every kind of model takes three steps on both, from one seed."""

import tempfile
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor

from trainer.checkpoints.restore import restore
from trainer.checkpoints.save import Surroundings, save
from trainer.config.model import ModelConfig
from trainer.config.schema import EvalConfig, OptimConfig, RunConfig
from trainer.device.device import Device, is_out_of_memory
from trainer.device.operators import missing_operator
from trainer.evals.drawing import Sampling
from trainer.evals.generate import sample
from trainer.evals.validation import validate
from trainer.job.reason import reason_of
from trainer.loop.setup import build_state
from trainer.models.forms import small_kinds
from trainer.run.checkpoints.manifest import verify
from trainer.step.optimizer_step import to_device, train_step
from trainer.step.state import TrainState

VOCAB, CONTEXT, BATCH, STEPS = 64, 32, 4, 3
SAVED_AT = 2
REMEDIES = {
    "loss": "--set optim.amp=off, another build of torch (`torch:` of the host), or --set device=cpu",
    "gradient": "--set optim.amp=off, another build of torch (`torch:` of the host), or --set device=cpu",
    "weights": "another build of torch (`torch:` of the host), or --set device=cpu",
    "resume": "do not resume on this device: another build of torch, or --set device=cpu",
    "evaluation": "evaluate with --device cpu",
    "sample": "sample with --device cpu",
    "error": "another build of torch (`torch:` of the host), or --set device=cpu",
    "memory": "free the device's memory, then `photinus-train selftest --keep --again`",
}
TOLERANCES = {
    "loss": 2e-3,
    "gradient": 2e-2,
    "weights": 0.1,
    "resume": 1e-3,
    "evaluation": 2e-3,
    "sample": 1e-2,
}
"""Relative. A device may multiply in TF32; AdamW makes a whole step of the sign of a gradient near zero."""


@dataclass(frozen=True, slots=True)
class TrainedFew:
    """What came of three steps: losses and gradient norms a step, then values as flat lists."""

    loss: list[float]
    gradient: list[float]
    weights: Tensor
    first_weights: Tensor
    resumed: Tensor
    evaluation: list[float]
    sample: list[float]


@dataclass(frozen=True, slots=True)
class DeviceDifference:
    """Something that came out otherwise than on the CPU, by how much, and what to do."""

    what: str
    error: float
    remedy: str
    detail: str = ""


@dataclass(frozen=True, slots=True)
class KindProof:
    """One kind of model on the device, beside the CPU."""

    kind: str
    differences: tuple[DeviceDifference, ...]
    errors: dict[str, float]

    @property
    def is_good(self) -> bool:
        """Whether nothing differs."""
        return not self.differences

    def to_json(self) -> dict[str, Any]:
        """Plain values."""
        return {**asdict(self), "is_good": self.is_good}


def prove(
    device: Device, train: Callable[[ModelConfig, Device], TrainedFew] | None = None
) -> Iterator[KindProof]:
    """Yield a proof a kind, as each is done.

    Args:
        train: how the device trains; a test gives one that is wrong.
    """
    host = Device(torch.device("cpu"), device.threads)
    for kind, model in small_kinds().items():
        expected = train_few(model, host)
        try:
            found = (train or train_few)(model, device)
        except (RuntimeError, TypeError, ValueError) as error:
            detail = missing_operator(error) or reason_of(error)
            what = "memory" if is_out_of_memory(error) else "error"
            yield KindProof(kind, (DeviceDifference(what, float("inf"), REMEDIES[what], detail),), {})
            continue
        errors = compared(found, expected)
        wrong = tuple(
            DeviceDifference(what, error, REMEDIES[what])
            for what, error in errors.items()
            if not error <= TOLERANCES[what]
        )
        yield KindProof(kind, wrong, errors)


def train_few(model: ModelConfig, device: Device) -> TrainedFew:
    """Train three steps, and the third again from a checkpoint; then score and sample."""
    config = RunConfig(
        model=model, context=CONTEXT, batch=BATCH, steps=STEPS, eval=EvalConfig(tokens=2 * CONTEXT),
        optim=OptimConfig(lr=1e-3, warmup=1, amp="off"),
    )  # fmt: skip
    batches = np.random.default_rng(7).integers(VOCAB, size=(STEPS + 1, BATCH, CONTEXT + 1))
    state = _begun(config, device)
    first, losses, norms = _flat(state), list[float](), list[float]()
    with tempfile.TemporaryDirectory(prefix="photinus-selftest-") as folder:
        for step in range(STEPS):
            if step == SAVED_AT:
                around = Surroundings(config, device, "selftest", VOCAB)
                name = save(Path(folder), state, around, "periodic").name
            means, norm = _step(state, config, device, batches[step])
            losses.append(float(means[0]))
            norms.append(float(norm))
        again = _begun(config, device)
        restore(again, Path(folder) / name, verify(Path(folder) / name), device)
    _step(again, config, device, batches[SAVED_AT])
    held_out = batches[STEPS].reshape(-1)
    scores = validate(state, config, device, held_out, 1.0, lambda: None)
    drawn = sample(state.model, device, held_out[:4].tolist(), 1, Sampling(temperature=0))
    return TrainedFew(
        losses,
        norms,
        _flat(state),
        first,
        _flat(again),
        [scores["val_ce"]],
        _scores(state, device, drawn.ids),
    )


def compared(found: TrainedFew, expected: TrainedFew) -> dict[str, float]:
    """Return relative errors: against the CPU, and of a resumed step against the one that was not."""
    moved = (expected.weights - expected.first_weights).norm().item() or 1.0
    return {
        "loss": _error(found.loss, expected.loss),
        "gradient": _error(found.gradient, expected.gradient),
        "weights": (found.weights - expected.weights).norm().item() / moved,
        "resume": (found.resumed - found.weights).norm().item() / moved,
        "evaluation": _error(found.evaluation, expected.evaluation),
        "sample": _error(found.sample, expected.sample),
    }


def _begun(config: RunConfig, device: Device) -> TrainState:
    """A fresh state; noise that each device draws for itself would hide everything else, so it is off."""
    state = build_state(config, device, VOCAB, 0)
    for name, one in state.model.named_parameters():
        if name.rsplit(".", 1)[-1] == "noise":
            one.requires_grad_(False).zero_()
    return state


def _step(state: TrainState, config: RunConfig, device: Device, tokens: Any) -> tuple[Tensor, Tensor]:
    arrays = np.ascontiguousarray(tokens[:, :-1]), np.ascontiguousarray(tokens[:, 1:])
    return train_step(state, config, device, to_device(arrays, device))


def _scores(state: TrainState, device: Device, ids: tuple[int, ...]) -> list[float]:
    """What the O(1) form answers to a few tokens, each compared: a token drawn hides how near another was."""
    memory, answers = state.model.init_state(1), []
    for token in (1, 2, *ids[:1]):
        out, memory = state.model.step(torch.tensor([token], device=device.place), memory)
        answers.append(out.logits[0].float().cpu())
    found: list[float] = torch.cat(answers).tolist()
    return found


def _flat(state: TrainState) -> Tensor:
    return torch.cat([one.detach().float().cpu().flatten() for one in state.model.parameters()])


def _error(found: list[float], expected: list[float]) -> float:
    """The largest difference relative to the largest value; what is no number is no small difference."""
    one, other = torch.tensor(found), torch.tensor(expected)
    if one.shape != other.shape or not bool(one.isfinite().all()):
        return float("inf")
    return float((one - other).abs().max() / other.abs().max().clamp(min=1e-12))
