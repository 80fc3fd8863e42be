"""Scored positions: the loss is a sum over them divided by their number, however a batch is split."""

import numpy as np
import pytest
import torch
from torch import Tensor

from tests.trainer.models.texts import KINDS, VOCAB, small, text
from trainer.data.scored import scored_weights
from trainer.job.rank import Rank
from trainer.models.cross_entropy import head_cross_entropy
from trainer.step.world import World

ROWS, LENGTH = 8, 24


def mask_of_uneven_rows() -> np.ndarray:
    """Rows that score 24, 21, ... positions, and the last two none at all."""
    mask = np.arange(LENGTH)[None, :] < (LENGTH - 3 * np.arange(ROWS))[:, None]
    mask[-2:] = False
    return mask


def gradients(model: torch.nn.Module, pieces: list[tuple[Tensor, ...]]) -> list[Tensor]:
    """Accumulate as a training step does: each piece by its share of the rows."""
    model.zero_grad(set_to_none=True)
    for piece in pieces:
        (model.loss(*piece).total * (len(piece[0]) / ROWS)).backward()  # type: ignore[operator]
    return [one.grad.clone() for one in model.parameters() if one.grad is not None]


@pytest.mark.parametrize("kind", KINDS)
def test_loss_is_the_sum_over_scored_positions_by_their_number(kind: str) -> None:
    model, tokens, targets = small(kind), text(ROWS, LENGTH), text(ROWS, LENGTH, seed=9)
    mask = mask_of_uneven_rows()
    whole = model(tokens)
    each = torch.nn.functional.cross_entropy(whole.logits.flatten(0, 1), targets.flatten(), reduction="none")
    expected = each.view(ROWS, LENGTH)[torch.from_numpy(mask)].sum() / int(mask.sum())
    answer = model.loss(tokens, targets, torch.from_numpy(scored_weights(mask)))
    assert torch.allclose(answer.ce, expected, atol=1e-5)
    assert not torch.allclose(model.loss(tokens, targets).ce, expected, atol=1e-3)


@pytest.mark.parametrize("soft_cap", [0.0, 30.0])
def test_gradient_is_the_same_however_the_batch_is_split(soft_cap: float) -> None:
    model = small("gated", soft_cap=soft_cap, z_loss=0.01 if soft_cap else 0.0)
    mask = mask_of_uneven_rows()
    batch = (text(ROWS, LENGTH), text(ROWS, LENGTH, seed=9), torch.from_numpy(scored_weights(mask)))
    whole = gradients(model, [batch])
    for size in (1, 3, 4):
        split = gradients(model, list(zip(*(torch.split(one, size) for one in batch), strict=True)))
        assert all(torch.allclose(a, b, atol=1e-6) for a, b in zip(whole, split, strict=True)), size
    parts = [World(Rank(number, 4)).part(batch) for number in range(4)]
    assert all(
        torch.allclose(a, b, atol=1e-6) for a, b in zip(whole, gradients(model, parts), strict=True)
    ), "four processes"
    each: list[tuple[Tensor, ...]] = []  # the control: every piece divides by its own number
    for inputs, targets, _ in parts:
        rows = slice(2 * len(each), 2 * len(each) + 2)
        each.append((inputs, targets, torch.from_numpy(scored_weights(mask[rows]))))
    assert not all(
        torch.allclose(a, b, atol=1e-4) for a, b in zip(whole, gradients(model, each), strict=True)
    )


def test_chunks_of_the_head_weigh_as_the_whole(monkeypatch: pytest.MonkeyPatch) -> None:
    draw = torch.Generator().manual_seed(0)
    hidden, weight = torch.randn(50, 8, generator=draw), torch.randn(VOCAB, 8, generator=draw)
    targets, scored = text(1, 50)[0], torch.rand(50, generator=draw)
    results = []
    for chunk in (2**22, 7 * VOCAB):
        monkeypatch.setattr("trainer.models.cross_entropy.CHUNK_LOGITS", chunk)
        leaves = hidden.clone().requires_grad_(), weight.clone().requires_grad_()
        loss = head_cross_entropy(*leaves, targets, scored)
        results.append((loss, *torch.autograd.grad(3.0 * loss, leaves)))
    for whole, chunked in zip(*results, strict=True):
        assert torch.allclose(whole, chunked, atol=1e-6)


def test_weights_have_a_mean_of_one_and_a_batch_without_scored_positions_none() -> None:
    assert scored_weights(mask_of_uneven_rows()).mean() == pytest.approx(1)
    assert not scored_weights(np.zeros((2, 3), bool)).any()
