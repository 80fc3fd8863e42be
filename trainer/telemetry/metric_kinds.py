"""What a metric is by its name: the kind of quantity, its unit, and what it is a held-out score of."""

import re
from functools import lru_cache
from typing import Literal

Kind = Literal[
    "loss", "ratio", "score", "norm", "rate", "throughput", "memory", "time", "count", "number"
]  # fmt: skip

_HELD_OUT = re.compile(
    r"(?:val|valid|validation|eval|dev|test|held_?out|metrics)[_/ .-]|(?:val|eval)(?=loss|acc)", re.I
)
_TRAINED = re.compile(r"(?:train|training)[_/ .-]", re.I)
_SPEED = re.compile(r"([A-Za-z]*)(?:_per_|/| per )(?:s|sec|second)(?:ond)?s?(?:$|[_/ ])", re.I)
_UNIT = re.compile(
    r"(?:^|[_ /([-])(us|ms|s|secs?|seconds?|mins?|minutes?|hours?|[kmgt]i?b|bytes|percent|pct|%)[)\]]?$", re.I
)
_UNITS = {
    "sec": "s", "secs": "s", "second": "s", "seconds": "s", "mins": "min", "minute": "min", "minutes": "min",
    "hour": "h", "hours": "h", "percent": "%", "pct": "%", "kb": "kB", "mb": "MB", "gb": "GB", "tb": "TB",
    "kib": "KiB", "mib": "MiB", "gib": "GiB", "tib": "TiB", "bytes": "B", "us": "µs",
}  # fmt: skip
_KNOWN: dict[str, tuple[Kind, str]] = {
    "ce": ("loss", ""), "total": ("loss", ""), "nll": ("loss", ""), "bpb": ("loss", "bits/byte"),
    "bpc": ("loss", "bits/character"), "lr": ("rate", ""), "lrm": ("rate", ""), "mfu": ("ratio", "%"),
    "R": ("ratio", ""), "wps": ("throughput", "words/s"), "ups": ("throughput", "updates/s"),
    "tps": ("throughput", "tokens/s"), "fps": ("throughput", "frames/s"), "tflops": ("throughput", "TFLOP/s"),
    "rss": ("memory", "B"), "memory_bytes": ("memory", "B"),
    "memory_percent": ("memory", "%"), "time": ("time", "s"), "elapsed": ("time", "s"), "wall": ("time", "s"),
    "eta": ("time", ""), "tokens": ("count", "tokens"), "epoch": ("count", ""), "iterations": ("count", ""),
    "loss scale": ("number", ""),
    "loss_scale": ("number", ""), "R_std": ("number", ""), "reg": ("number", ""),
}  # fmt: skip
_HOLDS: tuple[tuple[Kind, str], ...] = (
    ("throughput", r"flops|throughput"),
    ("memory", r"(?:^|[^a-z])(?:mem|memory|vram|rss)(?:$|[^a-z])|memory"),
    ("time", r"(?:^|[_/ ])(?:run)?time(?:$|[_/ ])|runtime|elapsed|(?:^|[_/ ])(?:eta|wall|dt)$"),
    ("rate", r"(?:^|[_/ ])lr(?:$|[-_/ ])|learning[_ -]?rate|temperature$"),
    ("loss", r"loss|nll|perplexity|ppl$|bp[bc]$|(?:^|[_/ ])(?:ce|r?mse|mae|[wc]er|fid)$"
             r"|err(?:or)?(?:_rate)?$"),
    ("norm", r"norm"),
    ("ratio", r"acc(?:uracy)?(?:$|[^a-z])|precision|recall|(?:^|[^a-z])map\d|percent"
              r"|(?:^|[^a-z])(?:f1|auc|m?iou|dice|ratio|share|fraction|overhead)(?:$|[^a-z])"),
    ("score", r"reward|return|score|(?:^|[_/ ])rew(?:$|[_/ ])|EpRet|bleu|rouge|psnr"
              r"|ssim|(?:^|[_/ ])kl(?:$|[_/ ])|metric$|pass@"),
    ("count", r"tokens|samples|steps?$|epoch|count|number of|num_|batch.size|bsz$|skipped|seen$"),
)  # fmt: skip
_KINDS = tuple((kind, re.compile(pattern, re.I)) for kind, pattern in _HOLDS)


@lru_cache(maxsize=4096)
def base_of(name: str) -> str:
    """The name without what says on which data it was measured: `loss` of `val_loss`, of `train/loss`."""
    plain = _TRAINED.sub("", name, count=1) if _TRAINED.match(name) else name
    return _HELD_OUT.sub("", plain, count=1) if _HELD_OUT.match(plain) else plain


@lru_cache(maxsize=4096)
def kind_of(name: str) -> Kind:
    """Which kind of quantity a metric is: known names first, then what the name holds; else a number."""
    base = base_of(name)
    if (known := _KNOWN.get(base) or _KNOWN.get(base.rpartition("/")[2])) is not None:
        return known[0]
    if _SPEED.search(base):
        return "throughput"
    found = next((kind for kind, pattern in _KINDS if pattern.search(base)), None)
    unit = unit_of(name)
    if found in (None, "count") and unit:
        return "time" if unit in ("µs", "ms", "s", "min", "h") else "memory" if unit[-1] == "B" else "ratio"
    return found or "number"


@lru_cache(maxsize=4096)
def unit_of(name: str) -> str:
    """The unit that a metric's name says, empty where it says none."""
    base = base_of(name)
    if (known := _KNOWN.get(base) or _KNOWN.get(base.rpartition("/")[2])) is not None:
        return known[1]
    if (speed := _SPEED.search(base)) is not None:
        what = speed.group(1).lower()
        return f"{'tokens' if what == 'tok' else what or 'it'}/s"
    found = _UNIT.search(base)
    return "" if found is None else _UNITS.get(found.group(1).lower(), found.group(1).lower())


def falls(name: str) -> bool:
    """Whether less of it is better."""
    return kind_of(name) == "loss"
