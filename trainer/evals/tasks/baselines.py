"""What a reader scores that does not do the task: counted or fitted on train, scored on validation.

A task whose best baseline is above 60 % of the way from chance to 1 asks for less than it seems to.
"""

from collections.abc import Iterator

import numpy as np
import torch
from torch import Tensor
from torch.nn.functional import cross_entropy, one_hot

from trainer.data.tasks.task import Sequences, Task
from trainer.evals.tasks.share import Share, share_of

LAST = 4
PULL = 1e-3
"""Weight of the squared coefficients: with fewer answers than features, a regression has no end else."""
ITERATIONS = 40


def baselines(task: Task, train: Sequences, validation: Sequences) -> list[Share]:
    """Return majority, best stump, bag of tokens, last four tokens, and the task's own rule.

    The features of an answer are the inputs up to its position, which is all that a causal reader has.
    """
    vocab = len(task.characters)
    fitted, asked = _Answers(train, vocab), _Answers(validation, vocab)
    among = torch.from_numpy(task.answers)
    guesses = {
        "majority": fitted.targets.bincount(minlength=vocab).argmax().expand(len(asked.targets)),
        "best stump": _stump(fitted, asked, vocab),
        "bag of tokens": _regression(fitted.bags, fitted.targets, asked.bags, among),
        f"last {LAST} tokens": _regression(fitted.last, fitted.targets, asked.last, among),
        f"rule: {task.rule}": torch.tensor([task.by_rule(one) for one in _prefixes(validation)]),
    }
    return [
        share_of(name, int((guess == asked.targets).sum()), len(asked.targets))
        for name, guess in guesses.items()
    ]


class _Answers:
    """Features of every answer: counts of tokens before it `[n, V]`, and the last tokens `[n, 4 V]`."""

    def __init__(self, made: Sequences, vocab: int) -> None:
        self.targets = torch.from_numpy(made.targets[made.mask])
        bags, last = [], []
        for prefix in _prefixes(made):
            bags.append(torch.from_numpy(np.bincount(prefix, minlength=vocab)).float())
            end = torch.from_numpy(prefix[-LAST:])
            spots = torch.zeros(LAST, vocab)
            spots[LAST - len(end) :] = one_hot(end, vocab).float()
            last.append(spots.flatten())
        self.bags, self.last = torch.stack(bags), torch.stack(last)


def _prefixes(made: Sequences) -> Iterator[np.ndarray]:
    for row, place in zip(*np.nonzero(made.mask), strict=True):
        yield made.inputs[row, : place + 1]


def _stump(fitted: _Answers, asked: _Answers, vocab: int) -> Tensor:
    """The likeliest answer with a token and without it, for the token by which that is right most often."""
    answers = one_hot(fitted.targets, vocab).float()
    has = (fitted.bags > 0).float()
    present, absent = has.T @ answers, (1 - has).T @ answers
    token = int((present.amax(1) + absent.amax(1)).argmax())
    return torch.where(asked.bags[:, token] > 0, present[token].argmax(), absent[token].argmax())


def _regression(features: Tensor, targets: Tensor, asked: Tensor, among: Tensor) -> Tensor:
    """What a logistic regression says, among these answers, that is fitted on `features [n, F]`."""
    mean, spread = features.mean(0), features.std(0) + 1e-3
    scaled = (features - mean) / spread
    weight = torch.zeros(features.shape[1], len(among), requires_grad=True)
    bias = torch.zeros(len(among), requires_grad=True)
    place = (targets.unsqueeze(1) == among).int().argmax(1)
    optimizer = torch.optim.LBFGS([weight, bias], max_iter=ITERATIONS, line_search_fn="strong_wolfe")

    def loss() -> float:
        optimizer.zero_grad()
        value = cross_entropy(scaled @ weight + bias, place) + PULL * weight.square().sum()
        torch.autograd.backward(value)
        return float(value.detach())

    optimizer.step(loss)  # type: ignore[no-untyped-call]
    with torch.no_grad():
        return among[(((asked - mean) / spread) @ weight + bias).argmax(-1)]
