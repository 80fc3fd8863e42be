"""What a report holds, as JSON can say it."""

import math
from typing import Any


def finite(value: Any) -> Any:
    """Return plain values with null in place of numbers that are not finite, which JSON cannot say."""
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    if isinstance(value, dict):
        return {key: finite(one) for key, one in value.items()}
    if isinstance(value, list | tuple):
        return [finite(one) for one in value]
    return value
