"""How a token is drawn."""

import torch

from trainer.evals.drawing import Sampling, draw

SCORES = torch.tensor([0.0, 3.0, 1.0, 2.0])


def drawn(how: Sampling, count: int = 200) -> set[int]:
    generator = torch.Generator().manual_seed(how.seed)
    return {draw(SCORES, how, generator) for _ in range(count)}


def test_temperature_zero_takes_the_likeliest() -> None:
    assert drawn(Sampling(temperature=0.0)) == {1}
    assert drawn(Sampling(temperature=5.0)) == {0, 1, 2, 3}


def test_top_k_draws_from_the_k_likeliest() -> None:
    assert drawn(Sampling(temperature=5.0, top_k=2)) == {1, 3}
    assert drawn(Sampling(temperature=5.0, top_k=9)) == {0, 1, 2, 3}


def test_top_p_draws_from_the_fewest_that_reach_it() -> None:
    shares = SCORES.softmax(-1)
    assert drawn(Sampling(temperature=1.0, top_p=float(shares[1]) - 0.01)) == {1}
    assert drawn(Sampling(temperature=1.0, top_p=float(shares[1]) + 0.01)) == {1, 3}


def test_one_seed_is_one_text() -> None:
    def text(seed: int) -> list[int]:
        generator = torch.Generator().manual_seed(seed)
        return [draw(SCORES, Sampling(temperature=3.0), generator) for _ in range(30)]

    assert text(1) == text(1)
    assert text(1) != text(2)
