"""From a value to a lamp: which band it falls into, and why, in one sentence."""

from dataclasses import dataclass
from math import inf, isfinite

from trainer.telemetry.bands import Band, Bands, Colour, Context, Ends, MetricBands, Severity

HARMLESS = frozenset({"ok", "info"})


@dataclass(frozen=True, slots=True)
class LampReading:
    """A lamp: glyph, word and colour, in that order of importance, and the sentence that explains it."""

    metric: str
    title: str
    value: float | None
    glyph: str
    word: str
    colour: Colour
    severity: Severity
    why: str
    advice: str = ""
    unit: str = ""


def judge(bands: Bands, metric: str, value: float | None, context: Context) -> LampReading:
    """Judge one value.

    Args:
        bands: the health file.
        metric: whose bands apply; one without bands is `unknown`.
        value: the reading; None where there is none yet, NaN or inf where the run produced that.
        context: what bounds and sentences may refer to: other metrics of the row, floors, `u_stat`, `step_s`.
    """
    entry = bands.metrics.get(metric)
    if entry is None:
        return _unknown(metric, metric, value, "no bands are defined for it")
    title = entry.title or metric
    if value is None:
        return _unknown(metric, title, None, "not told by this run")
    if not isfinite(value):
        return LampReading(
            metric,
            title,
            value,
            "✖",
            "not finite",
            "red",
            "bad",
            f"{title} is {value}",
            "resume from an earlier checkpoint",
        )
    judged, phrase = _relative(entry, value, context)
    if judged is None:
        return _unknown(metric, title, value, phrase)
    found = _find(entry, judged, context)
    if found is None:
        return _unknown(
            metric, title, value, f"{title} {_number(value)}; what it is compared with is not known"
        )
    band, low, high = found
    why = _sentence(entry, phrase, low, high, context)
    if entry.ends is not None and band.severity in HARMLESS and (overruled := _at_ends(entry.ends, context)):
        return _verdict(entry, value, entry.ends, f"{why}; {overruled}")
    if entry.ends is not None and (shares := _shares(entry.ends, context)):
        why = f"{why}; {shares[1]}"
    return _verdict(entry, value, band, why)


def _verdict(entry: MetricBands, value: float, band: Band | Ends, why: str) -> LampReading:
    return LampReading(
        entry.metric,
        entry.title or entry.metric,
        value,
        band.glyph,
        band.word,
        band.colour,
        band.severity,
        why,
        band.advice,
        entry.unit,
    )


def _unknown(metric: str, title: str, value: float | None, why: str) -> LampReading:
    return LampReading(metric, title, value, "·", "n/a", "grey", "unknown", why)


def _relative(entry: MetricBands, value: float, context: Context) -> tuple[float | None, str]:
    """The value that is compared with the bounds, and how to say it."""
    title = entry.title or entry.metric
    phrase = f"{title} {_number(value)}{f' {entry.unit}' if entry.unit else ''}"
    if not entry.per:
        return value, phrase
    base = context.get(entry.per)
    if not isinstance(base, int | float) or base == 0 or not isfinite(base):
        return None, f"{phrase}; {entry.per}, which it is compared with, is not known"
    share = value / abs(base)
    return share, f"{phrase} is {100 * share:.2g} % of {entry.per}"


def _find(entry: MetricBands, value: float, context: Context) -> tuple[Band, float, float] | None:
    edges = entry.edges(context)
    if len(edges) == 1 and len(entry.bands) > 1:
        return None  # every bound that would tell the bands apart is missing
    for low, high, band in edges:
        if value < high or (band.upto is not None and value <= high) or high == inf:
            return band, low, high
    return None


def _sentence(entry: MetricBands, phrase: str, low: float, high: float, context: Context) -> str:
    stat = context.get("u_stat") if entry.ends is not None else None
    if isinstance(stat, str) and stat:
        phrase = f"{phrase} ({stat})"
    if entry.per:
        return phrase
    if entry.limit is not None:
        bound = next((high for _, high in entry.bounds(context) if high < inf), inf)
        return f"{phrase} ago, the limit is {_number(bound)}{f' {entry.unit}' if entry.unit else ''}"
    if any(isinstance(band.bound, str) and band.bound != "limit" for band in entry.bands):
        return f"{phrase} beside {_floors(context)}"
    if low == -inf:
        return f"{phrase} is below {_number(high)}"
    if high == inf:
        return f"{phrase} is {_number(low)} or more"
    return f"{phrase} lies within {_number(low)} to {_number(high)}"


def _floors(context: Context) -> str:
    parts = []
    for name in ("unigram", "bigram", "trigram"):
        floor = context.get(name)
        if isinstance(floor, int | float):
            parts.append(f"{name} {floor:.2f}")
    rate = context.get("entropy_rate")
    if isinstance(rate, int | float):
        parts.append(f"entropy rate {rate:.2f}")
    return ", ".join(parts)


def _shares(ends: Ends, context: Context) -> tuple[float, str] | None:
    low, high = context.get(ends.low), context.get(ends.high)
    if not isinstance(low, int | float) or not isinstance(high, int | float):
        return None
    return low + high, f"{100 * low:.0f} % of positions at the low end, {100 * high:.0f} % at the high end"


def _at_ends(ends: Ends, context: Context) -> str:
    shares = _shares(ends, context)
    return f"but {shares[1]}" if shares and shares[0] > ends.over else ""


def _number(value: float) -> str:
    return f"{value:.3g}" if abs(value) < 1000 else f"{value:.0f}"
