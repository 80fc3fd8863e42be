"""kssm-v1: is it more than a bigram model? Its loss over all it trains on, beside the bigram entropy."""

from dataclasses import dataclass
from typing import cast

import numpy as np
import torch
from numpy.typing import NDArray

from trainer.data import CountedFloors
from trainer.data.floors import count_floors
from trainer.data.progress import Pulse
from trainer.models.published import PublishedV1
from trainer.reproduce.arm import Arm, Row, carry_out, scaled_down
from trainer.reproduce.bench import Bench
from trainer.reproduce.claims import Claim, ReproductionReport, Table
from trainer.reproduce.published_claims import V1_BIGRAM_ENTROPY, V1_TRAIN_CE, V1_VALIDATION_PPL
from trainer.step.state import TrainState

STEPS, QUICK_STEPS = 16_500, 40
CHARACTERS, QUICK_CHARACTERS = 1_000_000, 20_000
HELD_OUT = 0.1
MARGIN = 0.02
POINTS, QUICK_POINTS = 11, 2

Tokens = NDArray[np.uint16]


@dataclass(frozen=True)
class Characters:
    """A text in characters, cut as published: the first nine tenths train.

    Attributes:
        train, val: ids by the table of train; characters that train lacks are left out of `val`.
        misread: the same `val`, with the ids that a table of its own characters gives: the published mistake.
        vocab: characters of train.
    """

    train: Tokens
    val: Tokens
    misread: Tokens
    vocab: int


def in_characters(text: str) -> Characters:
    """Cut and encode a text."""
    cut = round(len(text) * (1 - HELD_OUT))
    table = {character: index for index, character in enumerate(sorted(set(text[:cut])))}
    held_out = [character for character in text[cut:] if character in table]
    own = {character: index for index, character in enumerate(sorted(set(held_out)))}
    return Characters(
        np.array([table[character] for character in text[:cut]], np.uint16),
        np.array([table[character] for character in held_out], np.uint16),
        np.array([own[character] for character in held_out], np.uint16),
        len(table),
    )


def rerun(bench: Bench) -> ReproductionReport:
    """Train on characters at the published sizes and rate; return the verdicts.

    Raises:
        StoppedError: a stop was requested.
        DataError: there is no such text.
    """
    text = bench.characters(bench.steps(CHARACTERS, QUICK_CHARACTERS))
    data = in_characters(text)
    floors = count_floors(data.train, data.val, data.vocab, Pulse(should_stop=bench.stop.requested))
    steps = bench.steps(STEPS, QUICK_STEPS)
    # No schedule was published: the rate stays where it is.
    config = scaled_down("kssm-v1-original", f"steps={steps}", "optim.min_lr_ratio=1.0", seed=bench.seed)
    pairs = bigrams(data.train, data.vocab)
    every = steps // bench.steps(POINTS, QUICK_POINTS)
    points = range(every, steps + 1, every)
    bench.ticker.plan([steps])
    state, rows = carry_out(
        Arm("characters", config, points, f"{bench.source} {len(text)} {floors}"),
        data.train,
        data.vocab,
        bench,
        lambda state: {"ce": exact_ce(log_scores(state), pairs)},
    )
    scores = log_scores(state)
    seen = steps * config.batch * config.context
    setup = [
        f"{state.model.parameter_count():,} parameters at {data.vocab} characters (published: 48,833 at 65)",
        f"{steps:,} steps of {config.batch} x {config.context} characters of {bench.source}, "
        f"seed {bench.seed}, rate 3e-4 and decay as published",
        f"{seen / len(data.train):.1f} times the training set (published: 10 epochs of windows one character "
        "apart, about 310,000 steps)",
    ]
    return ReproductionReport(
        "kssm-v1",
        "a bigram model read through order parameters",
        setup,
        [
            entropy_claim(rows[-1]["ce"], floors, len(data.train) - 1),
            wise_claim(state, data),
            misread_claim(scores, data, floors),
        ],
        [progress_table(rows, floors)],
    )


def bigrams(tokens: Tokens, vocab: int) -> NDArray[np.float64]:
    """Return how often each token follows each, `[V, V]`."""
    keys = tokens[:-1].astype(np.int64) * vocab + tokens[1:]
    return np.bincount(keys, minlength=vocab * vocab).reshape(vocab, vocab).astype(np.float64)


@torch.no_grad()
def log_scores(state: TrainState) -> NDArray[np.float64]:
    """Return ln p(next | present) `[V, V]`: all that a model without positions and without memory can say."""
    model = cast(PublishedV1, state.model)
    present = torch.arange(model.embedding.num_embeddings).unsqueeze(1)
    return np.asarray(model(present).logits[:, 0].double().log_softmax(-1).numpy())


def exact_ce(scores: NDArray[np.float64], pairs: NDArray[np.float64]) -> float:
    """Return the mean cross-entropy over every pair that was counted, nats a character."""
    return float(-(pairs * scores).sum() / pairs.sum())


def entropy_claim(ce: float, floors: CountedFloors, n: int) -> Claim:
    """Whether the loss ends at the entropy below which no such model can come."""
    bound = floors.bigram_in_sample
    return Claim(
        f"the loss over the whole training set ends within {MARGIN} nats of its bigram entropy",
        f"{V1_TRAIN_CE} nats a character; bigram entropy of its text {V1_BIGRAM_ENTROPY}",
        f"{bound:.4f}: no model of one character can be lower",
        f"{ce:.4f}, {ce - bound:+.4f} (exact, n = {n:,} characters)",
        0 <= ce - bound < MARGIN,
        {"ce": ce, "bigram_entropy": bound, "n": n},
    )


@torch.no_grad()
def wise_claim(state: TrainState, data: Characters) -> Claim:
    """Whether a character moves the scores at its own position alone."""
    model = cast(PublishedV1, state.model).eval()
    text = torch.from_numpy(data.train[:64].astype(np.int64)).unsqueeze(0)
    other = text.clone()
    other[0, 10] = (other[0, 10] + 1) % data.vocab
    moved = (model(text).logits != model(other).logits).any(-1)[0].nonzero().flatten().tolist()
    return Claim(
        "another character at position 10 moves the scores at position 10 and nowhere else",
        "a state-space model",
        "[10]: nothing is mixed across the sequence",
        f"{moved} of 0 to 63",
        moved == [10],
        {"moved": len(moved)},
    )


def misread_claim(scores: NDArray[np.float64], data: Characters, floors: CountedFloors) -> Claim:
    """What the published mistake, a table of its own for the held-out text, does to its loss."""
    right = exact_ce(scores, bigrams(data.val, data.vocab))
    wrong = exact_ce(scores, bigrams(data.misread, data.vocab))
    same = float((data.val == data.misread).mean())
    return Claim(
        "held-out loss stays near the bigram floor; the published degradation is a wrong table of characters",
        f"perplexity {V1_VALIDATION_PPL[0]} to {V1_VALIDATION_PPL[1]}, told as degradation by training",
        f"{floors.bigram:.3f} nats (bigram counts of train)",
        f"{right:.3f} nats rightly encoded, {wrong:.3f} misread ({same:.0%} of characters keep their id; "
        f"n = {len(data.val):,})",
        None if same > 0.99 else right < floors.bigram + 0.1 and wrong > right + 1,
        {"right": right, "misread": wrong, "same_ids": same, "bigram": floors.bigram},
    )


def progress_table(rows: list[Row], floors: CountedFloors) -> Table:
    """The loss over the whole training set on the way."""
    body: list[tuple[str, ...]] = [
        (f"{row['step']:,}", f"{row['ce']:.4f}", f"{row['ce'] - floors.bigram_in_sample:+.4f}")
        for row in rows
    ]
    return Table("Loss over the whole training set", ("step", "CE", "above bigram entropy"), body)
