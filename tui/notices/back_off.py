"""When a notice that did not arrive is sent again, and when it is given up."""

from datetime import UTC
from email.utils import parsedate_to_datetime

FIRST_S, LONGEST_S = 1.0, 900.0
TRIES_MAX, AGE_MAX_S = 120, 24 * 3600.0
AFTER_MAX_S = 6 * 3600.0


def pause_s(tries: int, asked_s: float | None = None) -> float:
    """Seconds until the next try after `tries` vain ones: 1, 2, 4 ... 900; more where the server asks it."""
    doubled = FIRST_S * 2.0 ** min(max(tries - 1, 0), 20)
    return max(min(doubled, LONGEST_S), min(asked_s or 0.0, AFTER_MAX_S))


def is_hopeless(tries: int, age_s: float) -> bool:
    """Whether it was tried often, or for long, enough."""
    return tries >= TRIES_MAX or age_s >= AGE_MAX_S


def retry_after_s(text: str, wall: float) -> float | None:
    """What a `Retry-After` asks: seconds, or a date of HTTP beside `wall`; None where it makes no sense."""
    text = text.strip()[:100]
    if text.isascii() and text.isdigit():
        return min(float(text[:12]), AFTER_MAX_S)
    try:  # some give fractions, which the standard does not know
        seconds = float(text)
    except ValueError:
        pass
    else:
        return min(seconds, AFTER_MAX_S) if seconds >= 0 else None  # nan is not
    try:
        date = parsedate_to_datetime(text)
        at = (date if date.tzinfo else date.replace(tzinfo=UTC)).timestamp()
    except (ValueError, TypeError, OverflowError, IndexError):
        return None
    return min(max(at - wall, 0.0), AFTER_MAX_S)
