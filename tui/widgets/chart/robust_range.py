"""Which values an axis is made for, where few that lie far out would press all others flat."""

from collections.abc import Sequence

Range = tuple[float, float]
FEW = 20  # at most one column in so many may lie outside
FAR = 8.0  # times the range of the others: how far out is far
LEAST = 24  # columns: with fewer there is no telling what is usual


def robust_range(columns: Sequence[Range]) -> Range:
    """The range of the columns (least, greatest), without the few whose extremes are far from all others."""
    lows, highs = sorted(low for low, _ in columns), sorted(high for _, high in columns)
    least, greatest = lows[0], highs[-1]
    if len(columns) < LEAST:
        return least, greatest
    spare = len(columns) // FEW
    low, high = lows[spare], highs[-1 - spare]
    inner = high - low
    if inner <= 0:
        return least, greatest  # a flat line has nothing that could be seen better
    if greatest - low > FAR * inner:
        greatest = max(value for value in highs if value <= high + inner)
    if high - least > FAR * inner:
        least = min(value for value in lows if value >= low - inner)
    return least, greatest
