"""Numbers as logs write them: commas, K and M, percent, units, and every spelling of nan and inf."""

from math import isfinite, nan

from trainer.telemetry.formats.pattern import lazy

_FINITE = r"(?:\d(?:\d|,(?=\d)){0,30}(?:\.\d{0,30})?|\.\d{1,30})(?:[eE][-+]?\d{1,4})?"
NUMBER = rf"[-+]?(?:{_FINITE}|[nN]a[nN]|NAN|[iI]nf(?:inity)?|INF)"
COUNT = r"\d(?:\d|,(?=\d)){0,18}"
_SCALED = lazy(rf"({NUMBER})\s?([KMGBT]?)(?:\s?(?:%|ms|us|s|m|h|it/s|s/it|GB|GiB|MB|MiB|x))?\*?")
_SCALES = {"": 1.0, "K": 1e3, "M": 1e6, "G": 1e9, "B": 1e9, "T": 1e12}


def number(text: str) -> float:
    """A plain number, with or without thousands commas.

    Raises:
        ValueError: it is none.
    """
    return float(text.replace(",", "") if "," in text else text)


def count(text: str) -> int:
    """A whole number with or without thousands commas.

    Raises:
        ValueError: it is none.
    """
    return int(text.replace(",", "") if "," in text else text)


def measure(text: str) -> float | None:
    """A number with its scale worked out (K, M, G, B, T) and its unit left out; None for no number."""
    found = _SCALED.fullmatch(text.strip())
    if found is None:
        return None
    try:
        return number(found.group(1)) * _SCALES[found.group(2)]
    except ValueError:
        return None


def number_of(value: object) -> float | None:
    """A number of a dictionary, numbers written as text among them; None for a flag, a word or a list."""
    if isinstance(value, bool):
        return None
    if isinstance(value, int | float):
        try:
            return float(value)
        except OverflowError:
            return nan
    if isinstance(value, str) and 0 < len(value) <= 40:
        try:
            return number(value)
        except ValueError:
            return None
    return None


def whole(value: float | None) -> int | None:
    """A number as a whole step, None where it is none."""
    return (
        int(value) if value is not None and isfinite(value) and value == int(value) and value >= 0 else None
    )
