"""Training metrics that stay on the device until a log row is due: one transfer a row, none a step."""

import math
from collections.abc import Sequence

import torch
from torch import Tensor

from trainer.config.model import ModelConfig
from trainer.models import LossOutput
from trainer.step.u_histogram import histogram_of, median_of

SCALARS = ("total", "ce", "reg", "R", "coherence", "u_low", "u_high")
MEANS = (*SCALARS, "u_val")
ORDER_NAMES = ("R", "coherence")
WITHOUT_ORDER = frozenset({"gpt", "gated", "memory"})
WITHOUT_U = frozenset({"kssm-v1-original", "kssm-v2-original"})
ALWAYS_WITH_U = frozenset({"kssm-v3-original", "kssm-v3-monostable"})
U_NAMES = ("reg", "u_val", "u_low", "u_high")


def as_vector(loss: LossOutput) -> Tensor:
    """Return the statistics of a loss as one vector: `SCALARS`, then the histogram of u where there is one.

    Such vectors add up, each times its share, and have no derivatives.
    """
    parts = (
        loss.total,
        loss.ce,
        loss.penalty,
        loss.R_mean,
        loss.coherence_mean,
        loss.u_low_share,
        loss.u_high_share,
    )
    scalars = torch.stack([part.detach().float() for part in parts])
    return scalars if loss.u is None else torch.cat((scalars, histogram_of(loss.u)))


def by_name(means: Sequence[float]) -> dict[str, float]:
    """Return the mean of such vectors by the names of `MEANS`; u's median is read from its histogram."""
    return {**dict(zip(SCALARS, means, strict=False)), "u_val": median_of(means[len(SCALARS) :])}


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


def is_usable(means: Tensor, grad_norm: Tensor) -> Tensor:
    """Return whether loss and gradient of a step are finite, as a truth value on the device."""
    return means[0].isfinite() & grad_norm.isfinite()


class StepMeter:
    """Means over the usable steps since the last reading; of the gradient norm, the last and the largest.

    Attributes:
        names: which of `MEANS` the model has.
        steps: steps of the window that was read last.
        skipped: those of them whose loss or gradient was not finite.
        streak: how many such steps in a row stood at its end, those of earlier windows included.
    """

    def __init__(self, names: frozenset[str]) -> None:
        self.names = names
        self.steps = self.skipped = self.streak = 0
        self._sum: Tensor | None = None
        self._norms: Tensor | None = None
        self._streak: Tensor | None = None
        self._count = 0
        self._trail: list[Tensor] = []
        self._fetched: list[float] = []

    def add(self, means: Tensor, grad_norm: Tensor) -> None:
        """Take a step's vector (see `as_vector`) and gradient norm before clipping. Waits for nothing."""
        norm = grad_norm.detach().float()
        self._trail += (means[0], norm)
        usable = is_usable(means, norm)
        bad = (~usable).float()
        means, seen = torch.where(usable, means, 0.0), torch.where(usable, norm, -1.0)
        self._streak = bad if self._streak is None else (self._streak + bad) * bad
        if self._sum is None or self._norms is None:
            self._sum, self._norms = means, torch.stack((seen, seen, bad))
        else:
            last, largest, skipped = self._norms.unbind()
            last, largest = torch.where(usable, norm, last), torch.maximum(largest, seen)
            self._sum, self._norms = self._sum + means, torch.stack((last, largest, skipped + bad))
        self._count += 1

    def read(self) -> dict[str, float]:
        """Return the window's metrics and begin a new one. Waits for the device: the only place that does.

        They are NaN where no step of the window was usable.

        Raises:
            ValueError: no step was added since the last reading.
        """
        if self._sum is None or self._norms is None or self._streak is None:
            raise ValueError("no step since the last reading")
        good = self._count - self._norms[2]
        window = torch.cat([self._norms, self._streak[None], self._sum / good])
        fetched: list[float] = torch.cat([window, *(one[None] for one in self._trail)]).tolist()
        flat = fetched[: len(window)]
        self._fetched += fetched[len(window) :]
        self._trail = []
        last, largest = flat[:2]
        self.steps, self.skipped, self.streak = self._count, int(flat[2]), int(flat[3])
        self._sum = self._norms = None
        self._count = 0
        if self.skipped == self.steps:
            last = largest = math.nan
        means = {name: value for name, value in by_name(flat[4:]).items() if name in self.names}
        return {**means, "grad_norm": last, "grad_norm_max": largest}

    def steps_since(self) -> list[tuple[float, float]]:
        """Return total loss and gradient norm of every step since the last call; waits for the device."""
        if self._trail:
            self._fetched += torch.stack(self._trail).tolist()
            self._trail = []
        found, self._fetched = self._fetched, []
        return list(zip(found[::2], found[1::2], strict=True))

    def forget(self) -> None:
        """Begin anew, as before the first step."""
        self._sum = self._norms = self._streak = None
        self._trail, self._fetched, self._count = [], [], 0
