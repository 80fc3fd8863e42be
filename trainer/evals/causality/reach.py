"""Statement 1: a changed token changes no logit before it, and some logit far behind it."""

from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

from trainer.models import LanguageModel
from trainer.models.published import PublishedV3

AT = 32
FAR = 64
TRIALS = 4
FELT = 1e-6


@dataclass(frozen=True, slots=True)
class Reach:
    """What changing one token did.

    Attributes:
        before: largest change of any earlier logit; must be exactly 0.
        here: largest change at the token itself.
        far: largest change at a distance of `FAR` or more.
        farthest: the largest distance at which some logit changed by more than 1e-6.
        length: tokens of the text behind the changed one.
    """

    before: float
    here: float
    far: float
    farthest: int
    length: int

    @property
    def is_causal(self) -> bool:
        """Whether nothing before the token moved at all."""
        return self.before == 0.0

    @property
    def reaches(self) -> bool:
        """Whether something moved `FAR` tokens later."""
        return self.far > FELT

    @property
    def words(self) -> str:
        """The finding, for people."""
        if not self.is_causal:
            return f"NOT causal: an earlier logit moved by {self.before:.2g}"
        if self.farthest == 0:
            return "position-wise: a token changes the logits at its own position only"
        if not self.reaches:
            return f"short-sighted: a token is felt for {self.farthest} tokens, not for {FAR}"
        return f"causal, and a token is felt at least {self.farthest} tokens later"


@torch.no_grad()
def reach(model: LanguageModel[Any], text: Tensor, vocab_size: int) -> Reach:
    """Change token `AT` of `text [T]` in a few ways and look at the logits.

    A model that draws noise in evaluation draws the same for both texts.
    """
    changed = torch.zeros(len(text), dtype=torch.float64)
    for trial in range(TRIALS):
        other = text.clone()
        other[AT] = (text[AT] + 1 + trial * 7) % vocab_size
        if bool(other[AT] == text[AT]):
            continue
        first, second = _logits(model, text, trial), _logits(model, other, trial)
        changed = torch.maximum(changed, (first - second).abs().amax(-1).double().cpu())
    felt = (changed[AT:] > FELT).nonzero().flatten()
    return Reach(
        before=float(changed[:AT].max()),
        here=float(changed[AT]),
        far=float(changed[AT + FAR :].max()) if len(text) > AT + FAR else 0.0,
        farthest=int(felt.max()) if len(felt) else 0,
        length=len(text) - AT - 1,
    )


def _logits(model: LanguageModel[Any], text: Tensor, seed: int) -> Tensor:
    if isinstance(model, PublishedV3):
        model.noise_generator = torch.Generator(text.device).manual_seed(seed)
    logits: Tensor = model(text.unsqueeze(0)).logits[0]
    return logits
