"""Intervals over documents."""

import numpy as np

from trainer.evals.bootstrap import ratio_of_sums


def test_the_interval_holds_the_truth_about_as_often_as_it_says() -> None:
    generator = np.random.default_rng(1)
    held = 0
    for trial in range(200):
        values = generator.normal(0.3, 1.0, 60)
        interval = ratio_of_sums(values, np.ones(60), level=0.9, seed=trial, draws=400)
        held += not interval.excludes(0.3)
    assert 160 <= held <= 195


def test_documents_are_drawn_in_pairs() -> None:
    generator = np.random.default_rng(2)
    size = generator.exponential(1.0, 50)
    paired = ratio_of_sums(2 * size, size)
    assert (paired.low, paired.high) == (2.0, 2.0)
    broken = ratio_of_sums(2 * size, generator.permutation(size))
    assert broken.high - broken.low > 0.1


def test_equivalence_is_not_the_absence_of_evidence() -> None:
    generator = np.random.default_rng(3)
    assert ratio_of_sums(generator.normal(0, 1e-4, 60), np.ones(60)).within(1e-3)
    wide = ratio_of_sums(generator.normal(0, 1.0, 60), np.ones(60))
    assert not wide.excludes(0.0)
    assert not wide.within(1e-3)
