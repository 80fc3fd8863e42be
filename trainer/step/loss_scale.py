"""Loss scaling for fp16: gradients too small for its exponent are raised, and lowered again.

The scale halves where a gradient overflows, and doubles after `PATIENCE` steps without; nothing waits.
"""

from collections.abc import Sequence

import torch
from torch import Tensor

HALVINGS = 16
FIRST = 2.0**HALVINGS
PATIENCE = 2000


class LossScale:
    """The factor of the loss, and how many steps it held: both on the device, both in checkpoints."""

    def __init__(self, place: torch.device) -> None:
        self.factor = torch.full((1,), FIRST, device=place)
        self._held = torch.zeros(1, dtype=torch.int32, device=place)

    def unscale(self, gradients: Sequence[Tensor]) -> Tensor:
        """Divide gradients by the factor; return whether one is not finite, `[1]`, 1 or 0."""
        found = torch.zeros_like(self.factor)
        torch._amp_foreach_non_finite_check_and_unscale_(list(gradients), found, self.factor.reciprocal())
        return found

    def update(self, found: Tensor) -> None:
        """Take note of what `unscale` found in this step."""
        torch._amp_update_scale_(self.factor, self._held, found, 2.0, 0.5, PATIENCE)

    def state(self) -> list[float]:
        """Return what a checkpoint holds. Waits for the device."""
        return [float(self.factor), float(self._held)]

    def restore(self, state: Sequence[float]) -> None:
        """Set what `state` returned."""
        factor, held = state
        self.factor.fill_(factor)
        self._held.fill_(int(held))
