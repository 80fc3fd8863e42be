"""How often untrained models pass the tests of `photinus-train causality`: `kssm-v3-tiny` of many seeds.

    python -m benchmarks.untrained [--models 20]    some 17 CPU seconds a model

An untrained model knows nothing, so whatever it passes shows nothing.
"""

import argparse

import torch

from benchmarks.learning.kernels import add_kernels, use_kernels
from trainer.config.resolve import resolve
from trainer.data import prepare
from trainer.device.device import open_device
from trainer.evals.causality.correlation import Correlation, Listener, correlate
from trainer.evals.causality.intervention import Intervention, Sweep
from trainer.evals.interventions.banks import group_of
from trainer.evals.interventions.document_scores import Windows, under
from trainer.evals.sections import held_out
from trainer.models import build

DOCUMENTS = 60
FIRST_SEED = 1000


def main() -> None:
    """Examine them and count."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--models", type=int, default=20)
    parser.add_argument("--preset", default="kssm-v3-tiny")
    add_kernels(parser)
    options = parser.parse_args()
    use_kernels(options.kernels)
    config = resolve(options.preset, data="python-docs").config
    device = open_device("cpu", 1)
    found = []
    with prepare(config.data) as corpus:
        windows = Windows.of(held_out(corpus, DOCUMENTS, config.context), config.context, device)
        for seed in range(FIRST_SEED, FIRST_SEED + options.models):
            torch.manual_seed(seed)
            model = build(config.model, corpus.vocab_size).eval()
            sweep, listener = Sweep(model, group_of(model), 0), Listener()
            base, changed = under(model, windows, sweep.changes(), listener.hear, lambda *_: None)
            one = sweep.intervention(base, changed), correlate(listener.readings(windows))
            found.append(one)
            print(row(seed, *one), flush=True)
    print(counts(found))


def row(seed: int, intervention: Intervention, correlation: Correlation) -> str:
    """One model."""
    swept = "  ".join(f"{nudge.scale:g}: {nudge.delta_ce.value:+.4f}" for nudge in intervention.nudges)
    passed = [
        name
        for name, holds in (
            ("R-specific", intervention.is_specific),
            ("at its best", intervention.is_at_its_best),
            ("correlates", correlation.holds),
        )
        if holds
    ]
    return (
        f"seed {seed}  delta CE {swept}  r {correlation.r:+.3f}, p {correlation.p:.2g}  {', '.join(passed)}"
    )


def counts(found: list[tuple[Intervention, Correlation]]) -> str:
    """How many passed what."""
    specific = sum(one.is_specific for one, _ in found)
    correlated = sum(one.holds for _, one in found)
    both = [one for one, r in found if one.is_specific and r.holds and r.varies]
    best = sum(one.is_at_its_best for one, _ in found)
    passed = sum(one.is_at_its_best for one in both)
    return (
        f"of {len(found)}: R-specific {specific}, R correlates {correlated}, both {len(both)}; "
        f"at its best {best}, all of it {passed}"
    )


if __name__ == "__main__":
    main()
