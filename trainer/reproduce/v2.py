"""kssm-v2: does forcing R do anything? It scales the stream before a LayerNorm, which takes that out."""

from collections.abc import Callable
from typing import cast

import numpy as np
import torch
from torch import Tensor
from torch.nn.functional import linear

from trainer.evals.bootstrap import Interval, ratio_of_sums
from trainer.models import create
from trainer.models.published import PublishedV1, PublishedV2
from trainer.reproduce.arm import Arm, carry_out, scaled_down
from trainer.reproduce.bench import Bench, windows
from trainer.reproduce.claims import Claim, ReproductionReport
from trainer.reproduce.published_claims import V2_FORCED_MOVE

STEPS, QUICK_STEPS = 800, 20
CONTEXT, WINDOWS = 64, 40
MAX_MB = 2.0
LOW, HIGH = 0.1, 0.9
MARGIN = 1e-3
FULL_VOCAB, FULL_CONTEXT, FULL_TEXTS = 100_277, 16, 20
SIZES = (
    "model.dim=64",
    "model.layers=2",
    "model.oscillators=32",
    "model.group=32",
    "optim.lr=0.003",
    "optim.warmup=50",
    f"model.positions={CONTEXT}",
)

Forced = Callable[[Tensor, float], Tensor]


def rerun(bench: Bench) -> ReproductionReport:
    """Force R in the published size as drawn, and in a small trained one; return the verdicts.

    Raises:
        StoppedError: a stop was requested.
        DataError: there is no such text.
    """
    generator = torch.Generator().manual_seed(bench.seed)
    with bench.corpus(MAX_MB) as corpus:
        steps = bench.steps(STEPS, QUICK_STEPS)
        bench.ticker.plan([steps])
        config = scaled_down(
            "kssm-v2-original", *SIZES, "batch=16", f"context={CONTEXT}", f"steps={steps}", seed=bench.seed
        )
        text = corpus.fingerprint
        state, _ = carry_out(
            Arm("small", config, (), text), corpus.train, corpus.vocab_size, bench, lambda _: {}
        )
        small = cast(PublishedV2, state.model)
        held_out = torch.from_numpy(windows(corpus.val, CONTEXT, bench.steps(WINDOWS, 8))[0])
        vocab = corpus.vocab_size
    bench.stop.check()
    full_vocab = bench.steps(FULL_VOCAB, 1000)
    torch.manual_seed(bench.seed)
    full = cast(PublishedV2, create("kssm-v2-original", full_vocab))
    v1 = cast(PublishedV1, create("kssm-v1-original", vocab))
    random_text = torch.randint(full_vocab, (bench.steps(FULL_TEXTS, 4), FULL_CONTEXT), generator=generator)
    setup = [
        f"{full.parameter_count():,} parameters (published: 28,305,161) as drawn, "
        f"{len(random_text)} texts of random tokens",
        f"{small.parameter_count():,} parameters after {steps:,} steps of 16 x {CONTEXT} bytes of "
        f"{bench.source}, seed {bench.seed}, rate 3e-3; {len(held_out)} held-out texts",
        f"R is forced to {LOW} and to {HIGH}; moved: mean |difference of logits| / their standard deviation",
        "intervals: 95 %, bootstrap over texts",
    ]
    claims = [
        null_claim("the published size, as drawn", full, random_text),
        null_claim("a small one, trained", small, held_out),
        control_claim("the same scaling behind the norm does move them", behind_norm(small), small, held_out),
        control_claim("so does forcing R in v1, whose only path it is", v1.forced, v1, held_out),
    ]
    return ReproductionReport("kssm-v2", "forcing R changes nothing", setup, claims)


def behind_norm(model: PublishedV2) -> Forced:
    """Return the published scaling at the other side of the norm: the control."""

    def forced(tokens: Tensor, strength: float) -> Tensor:
        seen = model.features(tokens)
        scale = strength / (seen.R.mean(-1, keepdim=True) + 1e-8)
        return linear(seen.hidden * scale, model.embedding.weight)

    return forced


@torch.no_grad()
def moved(forced: Forced, model: torch.nn.Module, texts: Tensor) -> Interval:
    """Return how far the logits move between `LOW` and `HIGH`, in their standard deviation.

    Args:
        texts: `[n, T]`; one at a time, for [n, T, V] may be large. The interval is over them.
    """
    model.eval()
    changes, spreads = [], []
    for text in texts.unsqueeze(1):
        changes.append(float((forced(text, HIGH) - forced(text, LOW)).abs().mean()))
        spreads.append(float(model(text).logits.std()))
    return ratio_of_sums(np.array(changes), np.array(spreads))


def null_claim(which: str, model: PublishedV2, texts: Tensor) -> Claim:
    """Whether forcing R moves nothing."""
    found = moved(model.forced, model, texts)
    return Claim(
        f"{which}: the published forced R moves the logits by less than {MARGIN:g} of their deviation",
        f"{V2_FORCED_MOVE} logits, passed (that number is v1's; none of a v2 is in the repository)",
        "0 but for rounding and the norm's own epsilon",
        f"{found.value:.1e} [{found.low:.1e}, {found.high:.1e}] (n = {found.n} texts)",
        found.high < MARGIN,
        {"moved": found.value, "low": found.low, "high": found.high, "n": found.n},
    )


def control_claim(statement: str, forced: Forced, model: torch.nn.Module, texts: Tensor) -> Claim:
    """Whether the test would have noticed."""
    found = moved(forced, model, texts)
    return Claim(
        f"control: {statement}",
        "-",
        f"more than {10 * MARGIN:g}",
        f"{found.value:.2f} [{found.low:.2f}, {found.high:.2f}] (n = {found.n} texts)",
        found.low > 10 * MARGIN,
        {"moved": found.value, "low": found.low, "high": found.high, "n": found.n},
    )
