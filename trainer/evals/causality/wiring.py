"""Statement 2: with the first bank's order parameters held constant, every text looks alike.

This shows wiring, not Kuramoto: any recurrence with a read-out in its place would pass likewise.
"""

from dataclasses import dataclass
from typing import Any

import torch

from trainer.evals.causality.banks import banks_of, constant_order
from trainer.evals.causality.scoring import Windows, nats
from trainer.models import LanguageModel
from trainer.models.kssm import KuramotoSSM


@dataclass(frozen=True, slots=True)
class Wiring:
    """What the order parameters let through.

    Attributes:
        sealed: two texts got bit-equal logits with the first bank's order parameters constant; None where
            the model has no bank whose read-out can be replaced.
        blind_ce: nats a token then; must not be below the unigram floor.
        unigram: that floor.
        per_layer: CE with the order parameters of one bank alone held constant, less the model's own.
    """

    sealed: bool | None
    blind_ce: float | None = None
    unigram: float | None = None
    per_layer: tuple[float, ...] = ()

    @property
    def words(self) -> str:
        """The finding, for people."""
        if self.sealed is None:
            return "no order parameters stand between text and output"
        if not self.sealed:
            return "a bypass: the text passes the first bank without its order parameters"
        return (
            f"sealed: without the first bank's order parameters every text looks alike "
            f"(CE {self.blind_ce:.3f}, unigram {self.unigram:.3f}); this shows wiring, not Kuramoto"
        )


def wiring(model: LanguageModel[Any], windows: Windows, unigram: float) -> Wiring:
    """Look at a model; the originals and the controls have no replaceable read-out."""
    if not isinstance(model, KuramotoSSM):
        return Wiring(None)
    tokens = float(windows.tokens_each().sum())
    own = float(nats(model, windows).sum()) / tokens
    with constant_order(model, 0):
        with torch.no_grad():
            pair = [model(windows.inputs[row : row + 1]).logits for row in (0, len(windows.inputs) - 1)]
        sealed = torch.equal(*pair)
        blind = float(nats(model, windows).sum()) / tokens
    layers = []
    for layer in range(len(banks_of(model))):
        with constant_order(model, layer):
            layers.append(float(nats(model, windows).sum()) / tokens - own)
    return Wiring(sealed, blind, unigram, tuple(layers))
