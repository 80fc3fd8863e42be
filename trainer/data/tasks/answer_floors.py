"""What counting alone achieves on the answers of a task: nothing, one or two tokens before them known."""

import math
from collections import Counter

import numpy as np

from trainer.data.floors import CountedFloors
from trainer.data.tasks.task import Sequences

ORDERS = 3


def answer_floors(train: Sequences, validation: Sequences, vocab: int) -> CountedFloors:
    """Return the cross-entropies of the scored targets of `validation`, nats each, by counts on `train`.

    A context is the inputs up to a scored position; orders are interpolated by Witten and Bell (1991), under
    the unigram lies the uniform distribution, as with the floors of a text.
    """
    seen, asked = _contexts(train), _contexts(validation)
    p = np.full(len(asked), 1.0 / vocab)
    found = []
    in_sample = 0.0
    for order in range(1, ORDERS + 1):
        grams = Counter(one[-order:] for one in seen)
        totals = Counter(one[-order:-1] for one in seen)
        followers = Counter(gram[:-1] for gram in grams)
        for place, one in enumerate(asked):
            context = one[-order:-1]
            if total := totals[context]:
                kinds = followers[context]
                p[place] = (grams[one[-order:]] + kinds * p[place]) / (total + kinds)
        found.append(float(-np.log(p).mean()))
        if order == 2:
            in_sample = -sum(n * math.log(n / totals[gram[:-1]]) for gram, n in grams.items()) / len(seen)
    unigram, bigram, trigram = found
    return CountedFloors(unigram, bigram, trigram, in_sample, math.log(vocab))


def _contexts(made: Sequences) -> list[tuple[int, ...]]:
    """The two inputs up to each scored position, and its target; -1 where a sequence had not begun."""
    rows, places = np.nonzero(made.mask)
    before = np.where(places > 0, made.inputs[rows, places - 1], -1)
    columns = (before.tolist(), made.inputs[rows, places].tolist(), made.targets[rows, places].tolist())
    return list(zip(*columns, strict=True))
