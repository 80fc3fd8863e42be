"""One optimizer step of v3-original at the published shape, against its harmonics as published.

The published form materialises `[B, T, 192, 32]` three times a layer; ours goes by a recurrence and keeps
the phases alone. Interleaved, one thread, CPU time. The head is small (4,096 tokens), for at the published
100,277 it is most of a step in both forms; that step is shown as well.
"""

import statistics
from collections.abc import Callable
from typing import cast

import torch

from benchmarks.figures import Figure, cpu_seconds, report
from trainer.models import create
from trainer.models.published import PublishedV3

BATCH, CONTEXT = 4, 512
VOCABULARIES = (4096, 100_277)
ROUNDS = {4096: 5, 100_277: 2}
AIM = 2.0


def stepper(model: PublishedV3, vocab: int) -> Callable[[], None]:
    """A function that performs one step on random tokens."""
    torch.manual_seed(1)
    optimizer = torch.optim.AdamW(model.parameter_groups(0.1, decay_omega=True), lr=4e-4, fused=True)
    tokens = torch.randint(vocab, (BATCH, CONTEXT + 1))

    def step() -> None:
        model.loss(tokens[:, :-1], tokens[:, 1:]).total.backward()  # type: ignore[no-untyped-call]
        torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        optimizer.step()
        optimizer.zero_grad(set_to_none=True)

    return step


def steps_of(vocab: int) -> dict[str, Callable[[], None]]:
    """Both forms."""
    steps = {}
    for form in ("plain", "ours"):
        torch.manual_seed(0)
        model = cast(PublishedV3, create("kssm-v3-original", vocab))
        if form == "plain":
            model.use_plain_harmonics()
        steps[form] = stepper(model, vocab)
    return steps


def main() -> None:
    """Measure."""
    torch.set_num_threads(1)
    for vocab in VOCABULARIES:
        steps = steps_of(vocab)
        times: dict[str, list[float]] = {form: [] for form in steps}
        for step in steps.values():
            step()
        for _ in range(ROUNDS[vocab]):
            for form, step in steps.items():
                times[form].append(cpu_seconds(step))
        median = {form: statistics.median(taken) for form, taken in times.items()}
        report(
            [
                Figure(
                    what=f"v3-original step, {BATCH}x{CONTEXT}, {vocab:,} tokens, 1 thread",
                    value=median["plain"] / median["ours"],
                    unit="times",
                    aim=AIM if vocab == VOCABULARIES[0] else None,
                    less_is_better=False,
                    n=ROUNDS[vocab],
                    baseline=f"plain ({1e3 * median['plain']:.0f} ms; ours {1e3 * median['ours']:.0f} ms)",
                    ratio=median["plain"] / median["ours"],
                )
            ]
        )


if __name__ == "__main__":
    main()
