"""What happens around a gate: fading oracle writes, a cooldown, a rate that starts again."""

import pytest

from trainer.step.gate.around_gate import AroundGate

GUARD = AroundGate()


def test_oracle_writes_fade_and_are_lifted_once_more_when_lambda_engages() -> None:
    mixes = [GUARD.mix(epoch, 0) for epoch in range(1, 11)]
    assert mixes == pytest.approx([1, 1, 1, 0.9, 0.8, 0.7, 0.6, 0.5, 0.5, 0.5], abs=1e-12)
    lifted = [GUARD.mix(epoch, 9) for epoch in range(8, 13)]
    assert lifted == pytest.approx([0.5, 0.6, 0.6 - 0.25 / 3, 0.5, 0.5], abs=1e-12)  # never below mix_min


def test_the_memory_counts_as_much_as_the_oracle_does_not_write() -> None:
    assert [GUARD.memory_scale(mix) for mix in (1.0, 0.75, 0.5)] == pytest.approx([0.0, 0.3, 0.6])
    assert AroundGate(mix_min=1.0).memory_scale(1.0) == 0.0


def test_no_batch_of_the_cooldown_writes() -> None:
    assert [GUARD.may_write(since) for since in (None, 0, 1, 2)] == [True, False, False, True]


def test_the_rate_starts_again_for_a_while_and_is_restored() -> None:
    factors = [GUARD.rate_factor(epoch, 6) for epoch in range(1, 11)]
    assert factors == pytest.approx([1, 1, 1, 0.65, 0.65, 0.325, 0.325, 0.325, 0.65, 0.65])
    assert GUARD.rate_factor(6, 0) == 0.65
