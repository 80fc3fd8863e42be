"""How a token is drawn from its scores."""

from dataclasses import dataclass

import torch
from torch import Tensor


@dataclass(frozen=True, slots=True)
class Sampling:
    """How a token is drawn from its scores.

    Attributes:
        temperature: 0 takes the likeliest.
        top_k: draw from the k likeliest; 0: from all.
        top_p: draw from the fewest likeliest whose probabilities reach p.
        seed: of the generator; training's are not touched.
    """

    temperature: float = 0.8
    top_k: int = 0
    top_p: float = 1.0
    seed: int = 0


def draw(scores: Tensor, how: Sampling, generator: torch.Generator) -> int:
    """Return a token id drawn from `scores [V]`."""
    if how.temperature == 0:
        return int(scores.argmax())
    scores = scores / how.temperature
    if how.top_k:
        least = scores.topk(min(how.top_k, len(scores))).values[-1]
        scores = scores.masked_fill(scores < least, -torch.inf)
    shares = scores.softmax(-1)
    if how.top_p < 1:
        ordered, place = shares.sort(descending=True)
        needed = ordered.cumsum(0) - ordered < how.top_p  # the one that reaches p is drawn from too
        shares = torch.zeros_like(shares).scatter(0, place[needed], ordered[needed])
    return int(torch.multinomial(shares, 1, generator=generator))
