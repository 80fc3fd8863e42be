"""Hysteresis: two different pasts, then the same tokens for a long time. Are the states still apart?

A state that forgets brings both together. One that keeps them apart may do so in two ways, told apart by a
third copy of the first past, nudged a little where the equal tokens begin: a latch brings the nudge back to
where it was (two attractors, one a past), a state that merely drifts along keeps the nudge too.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal, Protocol

import torch
from torch import Tensor

from trainer.models.kssm import KuramotoSSM

APART = 0.1
"""Of a difference: more must be left to count as kept, and less to count as brought back."""
NUDGE = 1e-3
"""Size of the nudge, relative to the first difference."""
FAR = 0.5
"""An oscillator that ends this far from its twin has kept its past; the unit disk is 2 wide."""

Verdict = Literal["forgets", "latches", "drifts"]


class Recurrence(Protocol):
    """What has a state of fixed size that tokens move."""

    def init_state(self, batch: int) -> Any:
        """Return the state before the first token: a list of tensors `[2, B, N]`, one a layer."""

    def advance(self, token: Tensor, state: Any) -> tuple[Any, Any]:
        """Take one token `[B]` into the state; return anything, and the next state."""


@dataclass(frozen=True, slots=True)
class Hysteresis:
    """What is left of a difference.

    Attributes:
        before: root mean square distance of an oscillator from its twin where the equal tokens begin.
        after: the same behind the last of them.
        ratio: `after / before`.
        decay: equal tokens until the distance first was below 1/e of `before`; None: never.
        faded: equal tokens until it was below 1 % of `before`; None: never.
        held: share of oscillators that end more than `FAR` from their twins.
        nudged: what is left of a small nudge, relative to its size behind the first equal token.
        tokens: how many equal tokens.
        pairs: how many pairs of pasts.
        verdict: forgets: not apart any more; latches: apart, and a nudge is brought back; drifts: apart, but
            so is the nudge, so nothing holds the state where it is.
    """

    before: float
    after: float
    ratio: float
    decay: int | None
    faded: int | None
    held: float
    nudged: float
    tokens: int
    pairs: int
    verdict: Verdict


def hysteresis(model: Recurrence, one: Tensor, other: Tensor, equal: Tensor) -> Hysteresis:
    """Run both pasts and the equal tokens, one token at a time.

    Args:
        model: a recurrence; of a `LanguageModel`, one with oscillators, in eval mode.
        one, other: two pasts a pair, `[pairs, H]` each.
        equal: the tokens that follow both, `[T]` or `[pairs, T]`, T >= 2.

    Raises:
        ValueError: the shapes do not fit, or the two pasts end in the same state.
    """
    pairs = one.shape[0]
    if one.shape != other.shape or equal.shape[-1] < 2:
        raise ValueError(f"pasts {tuple(one.shape)} and {tuple(other.shape)}, {equal.shape[-1]} equal tokens")
    tail = equal.expand(pairs, -1)
    with torch.no_grad():
        state = _follow(model, torch.cat((one, other, one)), model.init_state(3 * pairs))[0]
        before = float(_apart(state, pairs, 1).square().mean().sqrt())
        if before == 0:
            raise ValueError("both pasts end in the same state; take others")
        state = _nudged(state, pairs, NUDGE * before)
        state, distances, nudges = _follow(model, tail.repeat(3, 1), state, pairs)
        held = float((_apart(state, pairs, 1) > FAR).float().mean())
    ratio, nudged = distances[-1] / before, nudges[-1] / max(nudges[0], 1e-30)
    kept = ratio > APART
    return Hysteresis(
        before,
        distances[-1],
        ratio,
        _first_below(distances, before / math.e),
        _first_below(distances, before / 100),
        held,
        nudged,
        tail.shape[1],
        pairs,
        "forgets" if not kept else "latches" if nudged < APART else "drifts",
    )


def of_model(model: KuramotoSSM, vocab: Sequence[int], *, pairs: int = 8, past: int = 64, tokens: int = 1000,
             seed: int = 0, equal: Tensor | None = None) -> Hysteresis:  # fmt: skip
    """Return the hysteresis between random pasts.

    Args:
        vocab: the tokens that pasts are drawn from, and the equal ones too.
        equal: `[T]` or `[pairs, T]`, in place of one random text for all pairs.
    """
    draw = torch.Generator().manual_seed(seed)
    known = torch.tensor(list(vocab))

    def text(*shape: int) -> Tensor:
        return known[torch.randint(len(known), shape, generator=draw)]

    one, other, shared = text(pairs, past), text(pairs, past), text(tokens)
    return hysteresis(model, one, other, shared if equal is None else equal)


def _follow(
    model: Recurrence, tokens: Tensor, state: Any, pairs: int = 0
) -> tuple[Any, list[float], list[float]]:
    """Run `tokens [B, T]`; with `pairs`, note both distances after each."""
    distances, nudges = [], []
    for token in tokens.unbind(1):
        _, state = model.advance(token, state)
        if pairs:
            distances.append(float(_apart(state, pairs, 1).square().mean().sqrt()))
            nudges.append(float(_apart(state, pairs, 2).square().mean().sqrt()))
    return state, distances, nudges


def _apart(state: Sequence[Tensor], pairs: int, which: int) -> Tensor:
    """Distance of every oscillator of the first copy from its twin in copy `which`, `[layers, pairs, N]`."""
    return torch.stack(
        [(part[:, :pairs] - part[:, which * pairs : (which + 1) * pairs]).norm(dim=0) for part in state]
    )


def _nudged(state: Sequence[Tensor], pairs: int, size: float) -> list[Tensor]:
    """Move every oscillator of the third copy by `size`, in a direction that is drawn, always the same."""
    draw = torch.Generator().manual_seed(0)
    moved = [part.clone() for part in state]
    for part in moved:
        angle = 6.283185 * torch.rand(part[0, :pairs].shape, generator=draw).to(part)
        part[:, 2 * pairs :] += size * torch.stack((angle.cos(), angle.sin()))
    return moved


def _first_below(distances: list[float], limit: float) -> int | None:
    return next((at for at, distance in enumerate(distances, start=1) if distance < limit), None)
