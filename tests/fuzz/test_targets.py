"""A sample of every fuzz target, and a minute of each under `make chaos`."""

from collections.abc import Callable

import pytest

from remote.protocol.sanitise import steers
from tests.fuzz.__main__ import hunt
from tests.fuzz.mutation import mutated
from tests.fuzz.targets import TARGETS, Target
from tests.trials import trials

SECONDS = trials(0, 60)
SAMPLE = 60


@pytest.mark.chaos
@pytest.mark.claim("fuzzed input: typed errors alone, nothing that steers a terminal")
@pytest.mark.timeout(300)
@pytest.mark.parametrize("target", TARGETS, ids=lambda target: target.name)
def test_a_target_answers_with_its_own_errors_only(
    target: Target, record_property: Callable[[str, object], None]
) -> None:
    import random

    rng, seeds = random.Random(target.name), target.seeds
    for data in seeds:
        assert target.try_one(data), "the control: a seed is sound"
    for _ in range(SAMPLE):
        target.try_one(mutated(seeds, rng))
    tried, taken, broken = hunt(target, SECONDS, seed=12)
    assert broken is None
    assert taken or not SECONDS, "nothing got past the first check: the mutator is too wild"
    record_property("trials", SAMPLE + tried)


def test_a_broken_target_is_found() -> None:
    """The control: one that lets escapes through, and one that raises what it may not, are noticed."""

    def careless(data: bytes) -> None:
        assert not steers(data.decode("utf-8", "replace"))

    seeds = TARGETS[-1]
    assert hunt(Target(seeds.name, careless), 30, seed=1)[2] is not None
    assert hunt(Target(seeds.name, lambda data: int(data)), 30, seed=1)[2] is not None
