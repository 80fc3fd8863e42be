"""Statement 1: a changed token changes no logit before it, and some logit far behind it."""

from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

from trainer.evals.interventions.document_scores import quiet
from trainer.models import LanguageModel

PLACES = (31, 32, 45)
"""Tokens that are changed: the last and the first of a chunk of the scan, and one within."""
FAR = 64
BEHIND = 3 * FAR
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
        length: the largest distance that was looked at.
        felt_in_order: the largest distance at which R changed by more than 1e-6; None where there is no R.
    """

    before: float
    here: float
    far: float
    farthest: int
    length: int
    felt_in_order: int | None

    @property
    def is_causal(self) -> bool:
        """Whether nothing before the token moved at all."""
        return self.before == 0.0

    @property
    def is_position_wise(self) -> bool:
        """Whether nothing behind the token moved either."""
        return self.is_causal and self.farthest == 0

    @property
    def reaches(self) -> bool:
        """Whether something moved `FAR` tokens later."""
        return self.far > FELT

    @property
    def words(self) -> str:
        """The finding, for people."""
        tried = f"{len(PLACES)} tokens changed in {TRIALS} ways each"
        if not self.is_causal:
            return f"NOT causal: an earlier logit moved by {self.before:.2g} ({tried})"
        if self.farthest == 0:
            own = "logits and R" if self.felt_in_order == 0 else "logits"
            return f"position-wise: a token moves the {own} of its own position and no other ({tried})"
        if self.length < FAR:
            return f"causal; felt {self.farthest} tokens later, no farther text fits this model ({tried})"
        if not self.reaches:
            return f"causal and short-sighted: felt {self.farthest} tokens later, not {FAR} ({tried})"
        end = ", as far as was looked" if self.farthest == self.length else f" of {self.length} looked at"
        return f"causal: no earlier logit moves at all; felt {self.farthest} tokens later{end} ({tried})"


@torch.no_grad()
def reach(model: LanguageModel[Any], text: Tensor, vocab_size: int) -> Reach:
    """Change tokens of `text [T]` in a few ways and look at the logits.

    A model that draws noise in evaluation draws the same for both texts.

    Args:
        text: longer than the largest of `PLACES`.
    """
    before, here, R_seen = 0.0, 0.0, False
    behind = torch.zeros(len(text) - PLACES[0], dtype=torch.float64)
    R_behind = torch.zeros_like(behind)
    for trial in range(TRIALS):
        quiet(model, trial)
        logits, R = _answer(model, text)
        R_seen = R.shape[-1] > 0
        for place in PLACES:
            other = text.clone()
            other[place] = (text[place] + 1 + trial * 7) % vocab_size
            if bool(other[place] == text[place]):
                continue
            quiet(model, trial)
            changed, R_changed = _answer(model, other)
            moved = (logits - changed).abs().amax(-1).cpu().double()
            before = max(before, float(moved[:place].max()))
            here = max(here, float(moved[place]))
            length = len(text) - place
            behind[:length] = torch.maximum(behind[:length], moved[place:])
            if R_seen:
                R_moved = (R - R_changed).abs().amax(-1).cpu().double()
                R_behind[:length] = torch.maximum(R_behind[:length], R_moved[place:])
    return Reach(
        before=before,
        here=here,
        far=float(behind[FAR:].max()) if len(behind) > FAR else 0.0,
        farthest=_farthest(behind),
        length=len(behind) - 1,
        felt_in_order=_farthest(R_behind) if R_seen else None,
    )


def _answer(model: LanguageModel[Any], text: Tensor) -> tuple[Tensor, Tensor]:
    out = model(text.unsqueeze(0))
    return out.logits[0], out.R[0]


def _farthest(moved: Tensor) -> int:
    felt = (moved > FELT).nonzero().flatten()
    return int(felt.max()) if len(felt) else 0
