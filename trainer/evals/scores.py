"""How well a model predicts, beside what counting alone would score on the very same tokens."""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from trainer.data import Corpus
from trainer.data.floors import NGrams
from trainer.data.progress import Pulse
from trainer.evals.bootstrap import Interval, ratio_of_sums
from trainer.evals.sections import Section

ORDERS = ("unigram", "bigram", "trigram")


@dataclass(frozen=True, slots=True)
class FloorScore:
    """What counting n-grams of the training text scores, and how far the model is below it; nats a token."""

    name: str
    ce: Interval
    below: Interval


@dataclass(frozen=True, slots=True)
class Scores:
    """Cross-entropy in nats a token, perplexity a token, bits a byte of text, and the floors."""

    ce: Interval
    perplexity: Interval
    bits_per_byte: Interval
    floors: tuple[FloorScore, ...]


def counting(say: Callable[[str], None]) -> Pulse:
    """Return a pulse that tells how far the n-grams are counted."""
    return Pulse(lambda at: say(f"counting n-grams: {at.done:,} of {at.total:,} tokens"))


class FloorScorer:
    """N-grams counted on the text of training, scored on the very tokens that a model is scored on."""

    def __init__(
        self, corpus: Corpus, group: Sequence[Section], tokens: NDArray[np.float64], pulse: Pulse
    ) -> None:
        """Count.

        Args:
            group: the documents.
            tokens: how many of each are scored, `[documents]`; they are the ones right after its first.
        """
        self._tokens = tokens
        each = [section.tokens[: 1 + int(scored)] for section, scored in zip(group, tokens, strict=True)]
        decode = corpus.tokenizer.decode
        self._bytes = np.array([len(decode(some[1:].tolist())) for some in each], np.float64)
        grams = NGrams(corpus.train, corpus.vocab_size, pulse)
        self._nats = np.stack([grams.losses(some.astype(np.uint16)).sum(1) for some in each], 1)

    @property
    def unigram(self) -> float:
        """Nats a token."""
        return float(self._nats[0].sum() / self._tokens.sum())

    def scores(self, nats: NDArray[np.float64]) -> Scores:
        """Set a model's summed nats a document, `[documents]`, beside them."""
        ce = ratio_of_sums(nats, self._tokens)
        floors = tuple(
            FloorScore(name, ratio_of_sums(order, self._tokens), ratio_of_sums(order - nats, self._tokens))
            for name, order in zip(ORDERS, self._nats, strict=True)
        )
        return Scores(
            ce=ce,
            perplexity=Interval(_exp(ce.value), _exp(ce.low), _exp(ce.high), ce.n),
            bits_per_byte=ratio_of_sums(nats / math.log(2), self._bytes),
            floors=floors,
        )


def _exp(nats: float) -> float:
    return math.exp(nats) if nats < 700 else math.inf
