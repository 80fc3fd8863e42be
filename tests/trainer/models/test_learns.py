"""Statement 5, a short sample: the whole claim is `python -m benchmarks.learning study`."""

from pydoc_data.topics import topics

import numpy as np
import pytest
import torch

from tests.trials import trials
from trainer.models import create


@pytest.mark.chaos
@pytest.mark.skipif(trials(0, 1) == 0, reason="trains for a while: `make chaos` runs it")
def test_tiny_falls_below_the_unigram_entropy_within_80_small_steps() -> None:
    torch.manual_seed(0)
    data = np.frombuffer("\n".join(topics.values()).encode(), np.uint8)[:200_000]
    share = np.bincount(data, minlength=256) / len(data)
    unigram = -float((share[share > 0] * np.log(share[share > 0])).sum())
    tokens = torch.from_numpy(data.astype(np.int64))
    model = create("kssm-v3-tiny", 256, layers=2)
    adam = torch.optim.AdamW(model.parameter_groups(0.1), lr=4e-3, betas=(0.9, 0.98))
    losses = []
    for _ in range(80):
        window = tokens[torch.randint(len(tokens) - 129, (8, 1)) + torch.arange(129)]
        answer = model.loss(window[:, :-1], window[:, 1:])
        adam.zero_grad()
        torch.autograd.backward(answer.total)
        adam.step()
        losses.append(float(answer.ce))
    assert losses[0] > unigram
    assert np.mean(losses[-5:]) < unigram - 0.5
