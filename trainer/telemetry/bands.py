"""Health bands: named ranges of a metric with glyph, word and colour, read strictly from a YAML file."""

from collections.abc import Iterable, Mapping
from difflib import get_close_matches
from itertools import pairwise
from math import inf, isnan
from pathlib import Path
from typing import Any, Literal, TypeAlias

import msgspec
from msgspec import Struct

Severity = Literal["ok", "info", "warn", "bad", "unknown"]
Colour = Literal["red", "amber", "green", "blue", "cyan", "violet", "grey"]
Context: TypeAlias = Mapping[str, float | str | None]

TEXT_MAX = 1 << 18
DEPTH_MAX = 32


FLOORS = ("unigram", "bigram", "trigram", "entropy_rate", "adrift")
ROW_METRICS = (
    "total", "ce", "reg", "R", "coherence", "u_val", "u_low", "u_high", "grad_norm", "lr", "tokens",
    "tokens_per_s", "step_ms", "eta_s", "overhead", "step_s", "row_s", "stall_s", "R_predicted",
    "warfare_ratio", "warfare_cosine", "u_shuffled", "z", "det",
)  # fmt: skip


class BandsError(ValueError):
    """A health file that cannot be used; the message names the file, the metric and the fault."""


class Band(Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """One named range: values `below` the bound, or `upto` and including it; neither: everything left."""

    glyph: str
    word: str
    colour: Colour
    severity: Severity
    advice: str = ""
    below: float | str | None = None
    upto: float | str | None = None

    @property
    def bound(self) -> float | str | None:
        """The upper bound: a number, the name of one, or None."""
        return self.below if self.below is not None else self.upto


class Ends(Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """Overrules a harmless band where more than `over` of all positions sit at the two ends together."""

    low: str
    high: str
    over: float
    glyph: str
    word: str
    colour: Colour
    severity: Severity
    advice: str = ""


class Limit(Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """A bound named `limit`, worked out: the larger of `at_least` and `times` x the value named `of`.

    It is `unknown` where there is no such value, and it is given.
    """

    at_least: float
    times: float
    of: str
    unknown: float | None = None


class MetricBands(Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """All bands of one metric, ascending. `per` divides by another metric first; `zones` counts visits."""

    metric: str
    bands: tuple[Band, ...]
    title: str = ""
    unit: str = ""
    per: str = ""
    zones: bool = False
    ends: Ends | None = None
    limit: Limit | None = None

    def edges(self, context: Context) -> list[tuple[float, float, Band]]:
        """`(from, to, band)` for every band whose bounds are known in `context`."""
        known = self.bounds(context)
        low = -inf
        edges = []
        for band, bound in known:
            edges.append((low, bound, band))
            low = bound
        return edges

    def bounds(self, context: Context) -> list[tuple[Band, float]]:
        """Each band with its upper bound as a number; bands bounded by something unknown are left out."""
        limits = dict(context)
        if self.limit is not None:
            usual = context.get(self.limit.of)
            if isinstance(usual, int | float):
                limits["limit"] = max(self.limit.at_least, self.limit.times * usual)
            else:
                limits["limit"] = self.limit.unknown or self.limit.at_least
        if isinstance(unigram := context.get("unigram"), int | float):
            limits["adrift"] = 2 * unigram + 2  # more than any guess costs, be the vocabulary large or small
        out = []
        for band in self.bands:
            bound = limits.get(band.bound) if isinstance(band.bound, str) else band.bound
            if band.bound is None:
                out.append((band, inf))
            elif isinstance(bound, int | float) and not isnan(bound):
                out.append((band, float(bound)))
        return out


class HealthFile(Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """A whole health file."""

    version: Literal[1]
    name: str
    metrics: tuple[MetricBands, ...]


class Bands:
    """The bands of every metric of one health file."""

    def __init__(self, file: HealthFile) -> None:
        self.name = file.name
        self.metrics: dict[str, MetricBands] = {entry.metric: entry for entry in file.metrics}

    def __contains__(self, metric: str) -> bool:
        return metric in self.metrics


def _check_names(entry: MetricBands, where: str, metrics: Iterable[str]) -> None:
    """Refuse a bound that nothing ever tells: its band would be left out in silence."""
    known = {*FLOORS, *ROW_METRICS, *metrics, *(("limit",) if entry.limit else ())}
    for band in entry.bands:
        if isinstance(band.bound, str) and band.bound not in known:
            near = get_close_matches(band.bound, sorted(known), 1)
            hint = f"; did you mean {near[0]!r}?" if near else f"; known are {', '.join(sorted(known))}"
            raise BandsError(f"{where}: metric {entry.metric!r}: nothing is called {band.bound!r}{hint}")


def _check(entry: MetricBands, where: str) -> None:
    """Refuse bands that cannot be told apart."""
    place = f"{where}: metric {entry.metric!r}"
    if not entry.bands:
        raise BandsError(f"{place} has no bands: give at least one")
    for band in entry.bands:
        if band.below is not None and band.upto is not None:
            raise BandsError(f"{place}, band {band.word!r}: give `below` or `upto`, not both")
    if any(band.bound is None for band in entry.bands[:-1]):
        raise BandsError(f"{place}: only the last band may go without `below` or `upto`")
    if entry.bands[-1].bound is not None:
        raise BandsError(
            f"{place}: the last band must have neither `below` nor `upto`, so that no value is left out"
        )
    numbers = [band.bound for band in entry.bands if isinstance(band.bound, int | float)]
    if any(a >= b for a, b in pairwise(numbers)):
        raise BandsError(f"{place}: bounds must ascend, and these do not: {numbers}")


def _demand_plain(text: str, loader: Any, where: str) -> None:
    """Refuse what a few bytes can make large: aliases, depth, or sheer length."""
    import yaml

    depth = deepest = 0
    for event in yaml.parse(text[:TEXT_MAX], loader):
        kind = type(event).__name__
        depth += kind.endswith("StartEvent") - kind.endswith("EndEvent")
        deepest = max(deepest, depth)
        if deepest > DEPTH_MAX or kind == "AliasEvent":
            raise BandsError(f"{where}: it has aliases, or is nested deeper than {DEPTH_MAX}: write it out")
    if len(text) > TEXT_MAX:
        raise BandsError(f"{where} is longer than {TEXT_MAX:,} characters; make it shorter")


def parse(text: str, where: str = "health file") -> Bands:
    """Read a health file's text strictly.

    Raises:
        BandsError: it is no YAML, a key is unknown, a value has the wrong kind, or bands overlap.
    """
    import yaml  # not needed before the first lamp is lit

    loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
    try:
        _demand_plain(text, loader, where)
        file = msgspec.convert(yaml.load(text, loader), HealthFile)
    except (yaml.YAMLError, RecursionError, OverflowError) as error:
        raise BandsError(f"{where} is not YAML: {error}") from error
    except msgspec.ValidationError as error:
        raise BandsError(f"{where}: {error}") from error
    names = [entry.metric for entry in file.metrics]
    if twice := sorted({name for name in names if names.count(name) > 1}):
        raise BandsError(f"{where}: these metrics stand twice: {', '.join(twice)}")
    for entry in file.metrics:
        _check(entry, where)
        _check_names(entry, where, names)
    return Bands(file)


def _text_of(path: Path) -> str:
    if path.exists() and not path.is_file():
        raise BandsError(f"{path} is no plain file; take it away")
    with path.open(encoding="utf-8") as file:
        return file.read(TEXT_MAX + 1)


def load(*files: Path) -> Bands:
    """Read health files; a metric of a later file replaces the same metric of an earlier one.

    Raises:
        BandsError: see `parse`.
        OSError: one cannot be read.
    """
    parsed = [parse(_text_of(path), path.name) for path in files]
    first, *rest = parsed
    for bands in rest:
        first.metrics |= bands.metrics
    return first
