"""One optimizer step of each tiny model, interleaved in one run: milliseconds, and the ratio to gpt.

With native kernels where they compile, as in a run; `benchmarks/speed.py` measures every size and mode.
"""

import statistics
from collections.abc import Callable

import torch

from benchmarks.figures import Figure, report, seconds
from benchmarks.learning.kernels import use_kernels
from trainer.models import create

PRESETS = ("gpt-tiny", "gated-tiny", "kssm-v3-tiny")
BATCH, CONTEXT, VOCAB = 8, 256, 256
ROUNDS = 7


def stepper(preset: str) -> Callable[[], None]:
    """A function that performs one step of a fresh model on random bytes."""
    torch.manual_seed(0)
    model = create(preset, VOCAB)
    optimizer = torch.optim.AdamW(model.parameter_groups(0.1), lr=1e-3, fused=True)
    tokens = torch.randint(VOCAB, (BATCH, CONTEXT + 1))

    def step() -> None:
        model.loss(tokens[:, :-1], tokens[:, 1:]).total.backward()  # type: ignore[no-untyped-call]
        torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        optimizer.step()
        optimizer.zero_grad(set_to_none=True)

    return step


def main() -> None:
    """Measure."""
    use_kernels("auto")
    steps = {preset: stepper(preset) for preset in PRESETS}
    times: dict[str, list[float]] = {preset: [] for preset in PRESETS}
    for step in steps.values():
        step()
    for _ in range(ROUNDS):
        for preset, step in steps.items():
            times[preset].append(seconds(step))
    median = {preset: statistics.median(taken) for preset, taken in times.items()}
    report(
        Figure(
            what=f"step of {preset}, {BATCH}x{CONTEXT} bytes, {torch.get_num_threads()} threads",
            value=1e3 * median[preset],
            unit="ms",
            n=ROUNDS,
            baseline="gpt-tiny",
            ratio=median[preset] / median["gpt-tiny"],
        )
        for preset in PRESETS
    )


if __name__ == "__main__":
    main()
