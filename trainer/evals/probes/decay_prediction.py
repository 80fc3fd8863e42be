"""The R that weight decay of omega_0 alone predicts, drawn beside the R that is observed.

AdamW multiplies a decayed omega_0 by `1 - lr_t wd` in every step, whatever its gradient, and phases that
stand closer together have a larger mean field. In the published v3 that is the whole climb of R.
"""

from collections.abc import Callable

import numpy as np
import torch
from torch import Tensor

from trainer.config.schema import RunConfig
from trainer.data.scored import BatchSource
from trainer.device.device import Device
from trainer.evals.probes.decay import FIRST_DELTA, expected_R
from trainer.models import build
from trainer.step.lr_schedule import Schedule
from trainer.step.metrics import WITHOUT_ORDER
from trainer.step.optimizer_step import to_device

CLOSED_FORM = ("kssm-v3-original", "kssm-v3-monostable")
SCALES = np.linspace(0.0, 1.0, 9)
SEQUENCES = 2
"""Of the first batch: enough for R of an untrained model, which hardly depends on the text."""


class DecayPrediction:
    """R by step, from the schedule and the weight decay alone. Steps are asked for in growing order."""

    def __init__(
        self, schedule: Schedule, weight_decay: float, R_of: Callable[[float, float], float]
    ) -> None:
        """Begin at step 0.

        Args:
            schedule: of the run; a horizon that was changed later counts from the first step on.
            weight_decay: wd, of omega_0.
            R_of: R for the scale a of omega_0 and an observed u (NaN for a model without).
        """
        self._rate, self._decay, self._R_of = schedule.rate, weight_decay, R_of
        self._step, self._scale = 0, 1.0

    def at(self, step: int, u: float) -> float:
        """Return the predicted R after `step` steps, at the u that is observed there."""
        while self._step < step:
            self._scale *= 1 - self._rate(self._step) * self._decay
            self._step += 1
        return self._R_of(self._scale, u)


def decay_prediction(
    config: RunConfig, schedule: Schedule, device: Device, vocab_size: int, batches: BatchSource
) -> DecayPrediction | None:
    """Return the prediction of a run; None where its omega_0 is not decayed; the published v3 always has one.

    The published v3 has a closed form, `decay`. Of any other model R is measured before its first
    step, with omega_0 shrunk in stages and nothing else changed.
    """
    optim, kind = config.optim, config.model.kind
    if kind in CLOSED_FORM:
        return DecayPrediction(schedule, optim.weight_decay, closed_form(config))
    if kind in WITHOUT_ORDER or not optim.decay_omega:
        return None
    first = to_device(batches.batch_at(0), device)
    curve = untrained_curve(config, device, vocab_size, first.inputs[:SEQUENCES])
    if curve is None:
        return None
    return DecayPrediction(
        schedule, optim.weight_decay, lambda scale, _: float(np.interp(scale, SCALES, curve))
    )


def closed_form(config: RunConfig) -> Callable[[float, float], float]:
    """Return R of the published v3 by scale and u; its noise width is decayed even where omega_0 is not."""
    oscillators, shrinks = config.model.oscillators, config.optim.decay_omega

    def R_of(scale: float, u: float) -> float:
        seen = np.asarray([u], np.float64)
        if shrinks:
            return expected_R(scale, seen, oscillators)
        return expected_R(1.0, seen, oscillators, FIRST_DELTA * scale)

    return R_of


@torch.no_grad()
def untrained_curve(config: RunConfig, device: Device, vocab_size: int, inputs: Tensor) -> list[float] | None:
    """Return mean R of the model that the run began with, its omega_0 times each of `SCALES`.

    None where it has no omega_0 that could be decayed.
    """
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(config.seed)
        twin = build(config.model, vocab_size).to(device.place).eval()
        omegas = [one for name, one in twin.named_parameters() if name.rsplit(".", 1)[-1] == "omega"]
        if not omegas:
            return None
        first = [omega.clone() for omega in omegas]
        found = []
        for scale in SCALES.tolist():
            for omega, start in zip(omegas, first, strict=True):
                omega.copy_(start * scale)
            found.append(twin.features(inputs).R.mean())
    curve: list[float] = torch.stack(found).tolist()
    return curve
