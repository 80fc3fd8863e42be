"""Does R go with the certainty of the next token, beyond what the token itself and its position say?

Documents are the samples. R and entropy are each freed of the mean of their token type and of their position;
what is left is correlated within each document, and the documents' correlations are tested against zero.
The nulls shift R along its document, which keeps its memory and breaks its tie to the entropy.
"""

import math
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from trainer.evals.causality.scoring import Windows, score
from trainer.models import LanguageModel

ALPHA = 0.01
SHUFFLES = 200
ALLOWED = 6
"""Of 200 shuffled nulls at alpha .01: 2 are expected, more than 6 come once in 200 times."""
POSITIONS = 16
"""Buckets of position, a power of two apart."""
Array = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Readings:
    """R (mean over layers) and entropy of the next token, nats, with token and document of each: `[n]`."""

    R: Array
    entropy: Array
    token: NDArray[np.int64]
    position: NDArray[np.int64]
    document: NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class Correlation:
    """The partial correlation, its p over documents, how R varies, and how many nulls passed.

    Attributes:
        own_share: share of R's variance that token type and position leave unexplained.
    """

    r: float
    p: float
    documents: int
    std: float
    own_share: float
    nulls_passed: int

    @property
    def varies(self) -> bool:
        """Whether R says more than which token it is and where."""
        return self.std > 1e-3 and self.own_share > 0.05

    @property
    def holds(self) -> bool:
        """Whether the correlation is there, and the test would not have found it in noise."""
        return self.p < ALPHA and self.nulls_passed <= ALLOWED

    @property
    def words(self) -> str:
        """The finding, for people."""
        if not self.documents:
            return "no R to correlate"
        varying = (
            f"R varies (s.d. {self.std:.3f}, {self.own_share:.0%} of it beyond token and position)"
            if self.varies
            else f"R is a function of token and position (s.d. {self.std:.3f}, {self.own_share:.1%} beyond)"
        )
        return (
            f"{varying}; partial correlation with entropy {self.r:+.3f} over {self.documents} documents, "
            f"p {self.p:.2g}; {self.nulls_passed} of {SHUFFLES} nulls pass"
        )


def correlate(model: LanguageModel[Any], windows: Windows, seed: int = 0) -> Correlation:
    """Read a model over held-out text and test it."""
    found = read(model, windows)
    if found is None:
        return Correlation(math.nan, 1.0, 0, 0.0, 0.0, 0)
    R = _freed(found.R, found)
    entropy = _freed(found.entropy, found)
    spread = float(found.R.std())
    own = float(R.var() / found.R.var()) if spread > 0 else 0.0
    r, p, documents = _test(R, entropy, found.document)
    generator = np.random.default_rng(seed)
    passed = 0
    for _ in range(SHUFFLES):
        passed += _test(_shifted(R, found.document, generator), entropy, found.document)[1] < ALPHA
    return Correlation(r, p, documents, spread, own, passed)


def read(model: LanguageModel[Any], windows: Windows) -> Readings | None:
    """Collect R and entropy at every scored token; None where the model has no R."""
    R, entropy = [], []
    for part in windows.batches():
        out = score(model, windows, part)
        if out.R.shape[-1] == 0:
            return None
        log_p = out.logits.float().log_softmax(-1)
        R.append(out.R.float().mean(-1).cpu().numpy())
        entropy.append((-(log_p.exp() * log_p).sum(-1)).cpu().numpy())
    length = windows.inputs.shape[1]
    return Readings(
        R=np.concatenate(R).astype(np.float64).ravel(),
        entropy=np.concatenate(entropy).astype(np.float64).ravel(),
        token=windows.inputs.cpu().numpy().ravel(),
        position=np.tile(np.arange(length), len(windows.inputs)),
        document=np.repeat(windows.owners, length),
    )


def _freed(values: Array, by: Readings) -> Array:
    """Subtract the mean of each token type, and then of each position bucket."""
    bucket = np.minimum(np.log2(by.position + 1).astype(np.int64), POSITIONS - 1)
    left = values - _means(values, by.token)
    return left - _means(left, bucket)


def _means(values: Array, group: NDArray[np.int64]) -> Array:
    counts = np.bincount(group)
    sums = np.bincount(group, weights=values)
    means: Array = (sums / np.maximum(counts, 1))[group]
    return means


def _test(one: Array, other: Array, document: NDArray[np.int64]) -> tuple[float, float, int]:
    """Return the mean of the documents' correlations, its two-sided p (normal), and how many documents."""
    n = int(document.max()) + 1
    count = np.maximum(np.bincount(document, minlength=n), 1)

    def total(values: Array) -> Array:
        sums: Array = np.bincount(document, weights=values, minlength=n).astype(np.float64)
        return sums

    a, b = one - (total(one) / count)[document], other - (total(other) / count)[document]
    scale = np.sqrt(total(a * a) * total(b * b))
    usable = (scale > 1e-12) & (count > 8)
    if usable.sum() < 3:
        return math.nan, 1.0, int(usable.sum())
    r = total(a * b)[usable] / scale[usable]
    z = np.arctanh(np.clip(r, -0.999999, 0.999999))
    error = z.std(ddof=1) / math.sqrt(len(z))
    t = z.mean() / error if error > 0 else math.inf
    return float(r.mean()), math.erfc(abs(t) / math.sqrt(2)), len(z)


def _shifted(values: Array, document: NDArray[np.int64], generator: np.random.Generator) -> Array:
    """Roll each document's values by an amount of its own."""
    out = values.copy()
    edges = np.flatnonzero(np.diff(document)) + 1
    for begin, end in zip([0, *edges.tolist()], [*edges.tolist(), len(values)], strict=True):
        out[begin:end] = np.roll(values[begin:end], int(generator.integers(1, max(2, end - begin))))
    return out
