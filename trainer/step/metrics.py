"""Training metrics that stay on the device until a log row is due: one transfer a row, none a step."""

import torch
from torch import Tensor

from trainer.config.model import ModelConfig
from trainer.models import LossOutput

MEANS = ("total", "ce", "reg", "R", "coherence", "u_val", "u_low", "u_high")
ORDER_NAMES = ("R", "coherence")
WITHOUT_ORDER = frozenset({"gpt", "gated"})
WITHOUT_U = frozenset({"kssm-v1-original", "kssm-v2-original"})
ALWAYS_WITH_U = frozenset({"kssm-v3-original", "kssm-v3-monostable"})
U_NAMES = ("reg", "u_val", "u_low", "u_high")


def as_vector(loss: LossOutput) -> Tensor:
    """Return the statistics of a loss as one vector, in the order of `MEANS`, without derivatives."""
    parts = (
        loss.total,
        loss.ce,
        loss.penalty,
        loss.R_mean,
        loss.coherence_mean,
        loss.u_median,
        loss.u_low_share,
        loss.u_high_share,
    )
    return torch.stack([part.detach().float() for part in parts])


def names_of(model: ModelConfig) -> frozenset[str]:
    """Return which of `MEANS` this model has: a control has no order parameters, and not every K-SSM a u."""
    names = {"total", "ce", "reg"}
    if model.kind not in WITHOUT_ORDER:
        names |= set(ORDER_NAMES)
        if model.kind in ALWAYS_WITH_U or (
            model.kind not in WITHOUT_U and model.coupled and model.u != "off"
        ):
            names |= set(U_NAMES)
    return frozenset(names)


class StepMeter:
    """Means over the steps since the last reading; of the gradient norm, the last and the largest.

    Attributes:
        names: which of `MEANS` the model has.
    """

    def __init__(self, names: frozenset[str]) -> None:
        self.names = names
        self._sum: Tensor | None = None
        self._largest: Tensor | None = None
        self._last: Tensor | None = None
        self._count = 0

    def add(self, means: Tensor, grad_norm: Tensor) -> None:
        """Take a step's vector (see `MEANS`) and gradient norm before clipping. Waits for nothing."""
        norm = grad_norm.detach().float()
        self._sum = means if self._sum is None else self._sum + means
        self._largest = norm if self._largest is None else torch.maximum(self._largest, norm)
        self._last = norm
        self._count += 1

    def read(self) -> dict[str, float]:
        """Return the window's metrics and begin a new one. Waits for the device: the only place that does.

        Raises:
            ValueError: no step was added since the last reading.
        """
        if self._sum is None or self._last is None or self._largest is None:
            raise ValueError("no step since the last reading")
        flat = torch.cat([self._sum / self._count, self._last[None], self._largest[None]]).tolist()
        self._sum = self._largest = self._last = None
        self._count = 0
        means = {name: value for name, value in zip(MEANS, flat, strict=False) if name in self.names}
        return {**means, "grad_norm": flat[-2], "grad_norm_max": flat[-1]}
