"""What the tokens of a second come to in arithmetic, and as a share of what the devices could do."""

from dataclasses import dataclass
from typing import Any

from trainer.config.model import ModelConfig
from trainer.config.schema import RunConfig
from trainer.device.device import Device
from trainer.device.peak_speed import peak_tflops
from trainer.models import LanguageModel
from trainer.step.state import TrainState

PASSES = 3
"""A backward pass takes twice the multiplications of a forward pass; what is worked again is not counted."""


@dataclass(frozen=True, slots=True)
class SpeedOfLight:
    """A run's arithmetic.

    Attributes:
        flop: floating-point operations a token, forward and backward.
        peak: TFLOP/s of all devices together; None where the maker's figure is not known.
    """

    flop: float
    peak: float | None

    @classmethod
    def of(cls, config: RunConfig, state: TrainState, device: Device, processes: int) -> "SpeedOfLight":
        """Return that of a run whose precision is decided."""
        one = peak_tflops(device.facts(), state.precision.autocast, config.optim.tf32)
        flop = flop_per_token(state.model, config.model, config.context)
        return cls(flop, one * processes if one else None)

    def values(self, tokens_per_s: float) -> dict[str, float]:
        """Return `tflops`, and `mfu` in percent of the peak where that is known."""
        tflops = tokens_per_s * self.flop / 1e12
        return {"tflops": tflops} | ({"mfu": 100 * tflops / self.peak} if self.peak else {})


def flop_per_token(model: LanguageModel[Any], config: ModelConfig, context: int) -> float:
    """Return floating-point operations a token: 6 a weight of a matrix, and those of attention.

    The head's matrix counts once, tied to the embedding or not; looking a token up does not. Attention counts
    every pair of positions, as is usual (PaLM, appendix B), though half of them are masked. What oscillators
    compute beside matrices (under 2 %) is left out.
    """
    vocabulary = int(model.embedding.weight.shape[0])
    named = [(name, one) for name, one in model.named_parameters() if one.dim() >= 2]
    own = [(name, one) for name, one in named if not name.startswith(("embedding.", "places."))]
    matrices = sum(one.numel() for _, one in own)
    has_head = any(one.shape[0] == vocabulary for _, one in own)
    head = 0 if has_head else config.dim * vocabulary
    attention = 2 * config.layers * config.dim * context if config.kind in ("gpt", "bolted") else 0
    return 2.0 * PASSES * (matrices + head + attention)
