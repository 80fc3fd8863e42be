import math

import pytest

from tui.store.words import age, count, duration, number, share, size


@pytest.mark.parametrize(
    ("seconds", "said"),
    [
        (0.0213, "21 ms"), (1.44, "1.4 s"), (59.4, "59 s"), (60, "1m 00s"), (3599.6, "1h 00m"),
        (90061, "1d 1h"), (None, "n/a"), (math.nan, "n/a"), (math.inf, "n/a"), (-3, "0 ms"),
    ],
)  # fmt: skip
def test_durations(seconds: float | None, said: str) -> None:
    assert duration(seconds) == said


@pytest.mark.parametrize(
    ("value", "said"),
    [
        (0, "0"), (1.23456, "1.235"), (0.012345, "0.0123"), (12345.6, "12346"), (-2.5, "-2.500"),
        (1e-7, "1.00e-7"), (3.2e9, "3.20e9"), (math.nan, "nan"), (-math.inf, "-inf"), (None, "n/a"),
    ],
)  # fmt: skip
def test_numbers(value: float | None, said: str) -> None:
    assert number(value) == said


def test_what_is_unknown_is_never_a_zero() -> None:
    assert {count(None), size(None), share(None, 3), share(1, None), share(1, 0), age(None)} == {"n/a"}


def test_counts_sizes_and_ages() -> None:
    assert (count(950), count(15230), count(4.1e6)) == ("950", "15.2k", "4.1M")
    assert (size(512), size(6.1e9)) == ("512 B", "6.1 GB")
    assert (age(1.9), age(75)) == ("now", "1m 15s ago")
