"""What the banks of a published v3 show on held-out text, beside what weight decay predicts of them."""

from typing import Any, cast

import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.nn.functional import cross_entropy

from trainer.evals.probes.decay import FIRST_DELTA, expected_R
from trainer.models.published import PublishedV3
from trainer.reproduce.arm import Row
from trainer.step.state import TrainState

NOISE_SEED = 0
PART = 64


def read_banks(state: TrainState, inputs: NDArray[Any], targets: NDArray[Any], scale: float) -> Row:
    """Return the state's scores on held-out windows; the phase noise is the same draw at every reading.

    Args:
        inputs: `[n, T]`, and `targets` alike.
        scale: what decay has left of omega_0, `a`; 1 where it is not decayed.

    Returns:
        `ce`, `penalty` (before lambda) and `scale`; per layer, lists of `R`, its prediction from `a` and the
        observed u (`predicted`), mean `u`, the share of u at the floor (`u_low`) and the noise `delta`.
    """
    model = cast(PublishedV3, state.model)
    ce, R, u, penalty = scores(model, inputs, targets)
    layers = range(R.shape[-1])
    seen = u.flatten(0, 1).double().numpy()
    return {
        "ce": float(ce.mean()),
        "penalty": penalty,
        "scale": scale,
        "R": R.mean((0, 1)).tolist(),
        "predicted": [
            expected_R(scale, seen[:, layer], model.config.oscillators, FIRST_DELTA * scale)
            for layer in layers
        ],
        "u": u.mean((0, 1)).tolist(),
        "u_low": (u <= 0.1).float().mean((0, 1)).tolist(),
        "delta": [float(bank.noise.detach()) for bank in model.banks()],
    }


@torch.no_grad()
def scores(
    model: PublishedV3, inputs: NDArray[Any], targets: NDArray[Any]
) -> tuple[Tensor, Tensor, Tensor, float]:
    """Return CE `[n, T]` and R and u `[n, T, layers]` of windows `[n, T]`, and the mean penalty."""
    training = model.noise_generator
    model.noise_generator = torch.Generator().manual_seed(NOISE_SEED)
    model.eval()
    losses, Rs, us, penalties = [], [], [], []
    for begin in range(0, len(inputs), PART):
        part = torch.from_numpy(inputs[begin : begin + PART])
        out = model(part)
        wanted = torch.from_numpy(targets[begin : begin + PART])
        losses.append(cross_entropy(out.logits.transpose(1, 2), wanted, reduction="none"))
        Rs.append(out.R)
        us.append(cast(Tensor, out.u))
        penalties.append(float(out.penalty) * len(part))
    model.train()
    model.noise_generator = training
    return torch.cat(losses), torch.cat(Rs), torch.cat(us), sum(penalties) / len(inputs)
