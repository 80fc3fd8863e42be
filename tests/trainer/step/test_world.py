"""What holds without a second process: nothing changes alone, and unequal weights are refused."""

import pytest
import torch
from torch import nn

from trainer.job.outcome import TrainingFailedError
from trainer.job.rank import Rank
from trainer.step.world import WorkerOrder, World, demand_equal, digest


def test_alone_every_call_is_a_trifle() -> None:
    layer = nn.Linear(2, 1)
    layer(torch.ones(1, 2)).sum().backward()
    before = [one.grad.clone() for one in layer.parameters() if one.grad is not None]
    with World() as world:
        world.order(WorkerOrder.STEP)
        means = torch.tensor([1.0])
        assert world.average(list(layer.parameters()), means) is means
        assert world.share("x") == "x"
        assert world.gather("x") == ["x"]
        rows = ([1, 2], [3, 4])
        assert world.part(rows) is rows
    after = [one.grad for one in layer.parameters() if one.grad is not None]
    assert all(torch.equal(old, new) for old, new in zip(before, after, strict=True))


def test_the_parts_of_a_batch_are_the_batch() -> None:
    batch = (torch.arange(12).view(6, 2), torch.arange(12, 24).view(6, 2))
    parts = [World(Rank(number, 3)).part(batch) for number in range(3)]
    for side in (0, 1):
        assert torch.equal(torch.cat([part[side] for part in parts]), batch[side])


def test_weights_that_differ_in_one_bit_are_named_and_not_saved() -> None:
    torch.manual_seed(0)
    layer = nn.Linear(64, 64)
    same = digest(layer)
    demand_equal([same, digest(layer)], 7)
    with torch.no_grad():
        layer.weight.view(torch.int32)[3, 5] ^= 1
    with pytest.raises(TrainingFailedError, match=r"process 1 has other weights .* at step 7"):
        demand_equal([same, digest(layer)], 7)
