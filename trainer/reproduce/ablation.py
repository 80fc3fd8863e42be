"""The published ablation: did the bistable form win, or did the penalty of the other one hit a constant?"""

import math
from collections.abc import Sequence
from typing import cast

import numpy as np
from numpy.typing import NDArray

from trainer.evals.bootstrap import ratio_of_sums
from trainer.models.published import PublishedV3
from trainer.reproduce import published_claims as published
from trainer.reproduce.arm import Row
from trainer.reproduce.bank_readings import scores
from trainer.reproduce.bench import Bench, windows
from trainer.reproduce.claims import Claim, ReproductionReport, Table
from trainer.reproduce.v3 import BATCH, CONTEXT, MAX_MB, QUICK_STEPS, STEPS, train_v3
from trainer.step.state import TrainState

WINDOWS = 1024
R_MARGIN = 0.05
CONSTANT = -0.5 * math.log(1e-5)
"""The penalty of a layer whose mean u is below zero: its logarithm is cut off there, 5.756."""


def rerun(bench: Bench) -> ReproductionReport:
    """Train both arms alike; return the verdicts.

    Raises:
        StoppedError: a stop was requested.
        DataError: there is no such text.
    """
    steps = bench.steps(STEPS, QUICK_STEPS)
    with bench.corpus(MAX_MB) as corpus:
        bench.ticker.plan([steps] * 2)
        bistable, rows = train_v3(bench, corpus, "kssm-v3-original", "omega_0 decayed", True)
        monostable, other_rows = train_v3(bench, corpus, "kssm-v3-monostable", "monostable", True)
        held_out = windows(corpus.val, CONTEXT, bench.steps(WINDOWS, 4))
    setup = [
        f"both arms: {bistable.model.parameter_count():,} parameters (published: 46,246,722)",
        f"{steps:,} steps (published: 15,000) of {BATCH} x {CONTEXT} bytes of {bench.source}, "
        f"seed {bench.seed}, the same batches",
        f"scored on {len(held_out[0]):,} held-out texts of {CONTEXT} bytes with the same noise; intervals: "
        "95 %, paired bootstrap over texts",
    ]
    arms = [_score(state, *held_out) for state in (bistable, monostable)]
    return ReproductionReport(
        "ablation", "bistable against monostable, with the penalty taken out", setup,
        [
            published_arithmetic(),
            constant_claim(arms[1][1]),
            difference_claim(arms, published.LAMBDA),
            *(R_claim(rows, other_rows, layer) for layer in range(bistable.model.config.layers)),
        ],
        [arms_table(rows, other_rows)],
    )  # fmt: skip


def _score(state: TrainState, *held_out: NDArray[np.int64]) -> tuple[NDArray[np.float64], float, float]:
    """CE of each text `[n]`, the penalty, and mean u."""
    ce, _, u, penalty = scores(cast(PublishedV3, state.model), *held_out)
    return ce.mean(-1).double().numpy(), penalty, float(u.mean())


def published_arithmetic() -> Claim:
    """What the published numbers themselves say once the penalty is subtracted."""
    win = published.MONOSTABLE_VAL_LOSS - published.BISTABLE_VAL_LOSS
    penalty = published.LAMBDA * (published.MONOSTABLE_REG - published.BISTABLE_REG)
    return Claim(
        "the published win is not more than the difference of the penalties",
        f"val_loss {published.BISTABLE_VAL_LOSS} against {published.MONOSTABLE_VAL_LOSS}: bistable ahead by "
        f"{win:.3f} ({win / published.BISTABLE_VAL_LOSS:.1%})",
        f"{penalty:.3f} of it is 0.5 x the penalties of the logged rows ({published.BISTABLE_REG} and "
        f"{published.MONOSTABLE_REG:.3f})",
        f"CE: bistable ahead by {win - penalty:+.3f} nats, so behind (arithmetic on the published numbers)",
        win <= penalty,
        {"win": win, "penalty": penalty},
    )


def constant_claim(penalty: float) -> Claim:
    """Whether the other arm sits on the constant."""
    return Claim(
        "without the clamp the penalty ends on the constant of its cut logarithm, where it has no gradient",
        f"penalty {published.MONOSTABLE_REG:.3f} in the last logged rows",
        f"0.5 x -ln 1e-5 = {CONSTANT:.3f} for each layer whose mean u is below 0, and little beside it",
        f"{penalty:.3f}, mean over layers",
        penalty > 0.9 * CONSTANT,
        {"penalty": penalty, "constant": CONSTANT},
    )


def difference_claim(arms: Sequence[tuple[NDArray[np.float64], float, float]], weight: float) -> Claim:
    """Whether anything of the win is left in CE."""
    (ce, penalty, _), (other_ce, other_penalty, _) = arms
    left = ratio_of_sums(other_ce - ce, np.ones(len(ce)))
    constant = weight * (other_penalty - penalty)
    win = left.value + constant
    return Claim(
        "of our own difference in val_loss, the penalty is all but a tenth",
        f"{published.BISTABLE_VAL_LOSS} against {published.MONOSTABLE_VAL_LOSS}, told as 24.7 % worse "
        "without bistability",
        f"val_loss {constant:+.3f} higher by {weight} x the penalties ({penalty:.3f}, {other_penalty:.3f})",
        f"val_loss {win:+.3f} higher; CE by {left} nats (n = {left.n:,} texts)",
        constant > 0 and max(abs(left.low), abs(left.high)) < 0.1 * win,
        {
            "val_loss": win, "penalty": constant, "ce": left.value, "ce_low": left.low, "ce_high": left.high,
            "n": left.n,
        },
    )  # fmt: skip


def R_claim(rows: Sequence[Row], other_rows: Sequence[Row], layer: int) -> Claim:
    """Whether the higher R of the bistable arm is what its K brings."""
    R, other = rows[-1]["R"][layer], other_rows[-1]["R"][layer]
    predicted, other_predicted = rows[-1]["predicted"][layer], other_rows[-1]["predicted"][layer]
    excess, expected = 1 - other / R, 1 - other_predicted / predicted
    return Claim(
        f"layer {layer}: the higher R of the bistable arm is K = 2 sigmoid(u) under the same decay, within "
        f"{R_MARGIN:.0%} in both arms",
        f"R {published.BISTABLE_R} against {published.MONOSTABLE_R}, told as 17.6 % more synchronisation",
        f"R {predicted:.4f} against {other_predicted:.4f}: {expected:.1%}",
        f"R {R:.4f} against {other:.4f}: {excess:.1%}",
        abs(R / predicted - 1) < R_MARGIN and abs(other / other_predicted - 1) < R_MARGIN,
        {"R": R, "other_R": other, "predicted": predicted, "other_predicted": other_predicted},
    )


def arms_table(rows: Sequence[Row], other_rows: Sequence[Row]) -> Table:
    """CE, penalty and u of both arms on the way."""
    header = ("step", "CE", "penalty", "mean u", "CE, mono", "penalty, mono", "mean u, mono")
    body = [
        (
            f"{row['step']:,}", f"{row['ce']:.3f}", f"{row['penalty']:.3f}", _mean(row["u"]),
            f"{other['ce']:.3f}", f"{other['penalty']:.3f}", _mean(other["u"]),
        )
        for row, other in zip(rows, other_rows, strict=True)
    ]  # fmt: skip
    return Table("Both arms", header, body)


def _mean(values: Sequence[float]) -> str:
    return f"{sum(values) / len(values):.2f}"
