"""Does R go with the certainty of the next token, beyond what the token itself and its position say?

Documents are the samples. R and entropy are each freed of their mean over all places with the same token at a
position of the same size (16 to 31, say); what is left is correlated within each document, and the documents'
correlations are tested against zero. The nulls shift R along its document, which keeps its memory and breaks
its tie to the entropy.
"""

import math
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from trainer.evals.interventions.document_scores import Windows
from trainer.models import Output

ALPHA = 0.01
SHUFFLES = 200
ALLOWED = 6
"""Of 200 shuffled nulls at alpha .01: 2 are expected, more than 6 come once in 200 times."""
LEAST_P = 1e-9
"""Below, a p is not told: it says more of the assumptions than of the data."""
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
        documents: those with enough left to correlate; none where token and position say all of R.
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
    def is_sound(self) -> bool:
        """Whether the test itself can be believed: it seldom finds what is not there."""
        return self.nulls_passed <= ALLOWED

    @property
    def holds(self) -> bool:
        """Whether the correlation is there, and the test would not have found it in noise."""
        return self.p < ALPHA and self.is_sound

    @property
    def words(self) -> str:
        """The finding, for people."""
        if math.isnan(self.std):
            return "no R to correlate"
        if not self.documents:
            return f"R has s.d. {self.std:.3f}, all of it by token and position: nothing is left to correlate"
        p = f"p {self.p:.2g}" if self.p >= LEAST_P else f"p < {LEAST_P:g}"
        text = (
            f"R has s.d. {self.std:.3f}, {self.own_share:.1%} of its variance beyond token and position; "
            f"r with entropy {self.r:+.3f}, {p}, {self.documents} documents; "
            f"{self.nulls_passed} of {SHUFFLES} nulls pass"
        )
        return text if self.is_sound else f"{text}, more than {ALLOWED}: this test is not to be believed here"


class Listener:
    """Collects R and entropy from unchanged answers; see `scoring.under`."""

    def __init__(self) -> None:
        self._R: list[Tensor] = []
        self._entropy: list[Tensor] = []

    def hear(self, out: Output, log_p: Tensor) -> None:
        """Take the answers of some windows."""
        if out.R.shape[-1]:
            self._R.append(out.R.float().mean(-1).cpu())
            self._entropy.append(-(log_p.exp() * log_p).sum(-1).cpu())

    def readings(self, windows: Windows) -> Readings | None:
        """Return all of it; None where the model has no R."""
        if not self._R:
            return None
        counted = windows.counted.cpu().numpy()
        row, position = np.nonzero(counted)
        return Readings(
            R=torch.cat(self._R).double().numpy()[counted],
            entropy=torch.cat(self._entropy).double().numpy()[counted],
            token=windows.inputs.cpu().numpy()[counted],
            position=position,
            document=windows.owners[row],
        )


def correlate(found: Readings | None, seed: int = 0) -> Correlation:
    """Test the readings of a model over held-out text; None: it has no R."""
    if found is None:
        return Correlation(math.nan, 1.0, 0, math.nan, 0.0, 0)
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


def _freed(values: Array, by: Readings) -> Array:
    """Subtract the mean over all places with the same token in the same bucket of positions."""
    bucket = np.log2(by.position + 1).astype(np.int64)
    _, cell = np.unique(by.token * (int(bucket.max()) + 1) + bucket, return_inverse=True)
    freed: Array = values - (np.bincount(cell, weights=values) / np.bincount(cell))[cell]
    return freed


def two_sided_p(t: float, freedom: int) -> float:
    """Return P(|T| > |t|) under Student's distribution.

    With t = sqrt(freedom) tan(angle) the density is that of cos^(freedom - 1), which is summed numerically.
    """
    begin = math.atan2(abs(t), math.sqrt(freedom))
    angle = np.linspace(begin, min(math.pi / 2, begin + 40 / math.sqrt(freedom)), 4001)
    log_scale = math.lgamma((freedom + 1) / 2) - math.lgamma(freedom / 2) - math.log(math.pi) / 2
    area = float(np.trapezoid(np.cos(angle) ** (freedom - 1), angle))
    return min(1.0, 2 * area * math.exp(log_scale))


def _test(one: Array, other: Array, document: NDArray[np.int64]) -> tuple[float, float, int]:
    """Return the mean of the documents' correlations, its two-sided p, and how many documents."""
    n = int(document.max()) + 1
    count = np.maximum(np.bincount(document, minlength=n), 1)

    def total(values: Array) -> Array:
        sums: Array = np.bincount(document, weights=values, minlength=n).astype(np.float64)
        return sums

    a, b = one - (total(one) / count)[document], other - (total(other) / count)[document]
    scale = np.sqrt(total(a * a) * total(b * b))
    usable = (scale > 1e-12) & (count > 8)
    if usable.sum() < 3:
        return math.nan, 1.0, 0
    r = total(a * b)[usable] / scale[usable]
    z = np.arctanh(np.clip(r, -0.999999, 0.999999))
    error = z.std(ddof=1) / math.sqrt(len(z))
    t = float(z.mean() / error) if error > 0 else math.inf
    return float(r.mean()), two_sided_p(t, len(z) - 1), len(z)


def _shifted(values: Array, document: NDArray[np.int64], generator: np.random.Generator) -> Array:
    """Roll each document's values by an amount of its own."""
    out = values.copy()
    edges = np.flatnonzero(np.diff(document)) + 1
    for begin, end in zip([0, *edges.tolist()], [*edges.tolist(), len(values)], strict=True):
        out[begin:end] = np.roll(values[begin:end], int(generator.integers(1, max(2, end - begin))))
    return out
