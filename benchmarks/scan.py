"""The scans of the oscillators, forward and backward, beside a plain loop that indexes token by token."""

import statistics
import time
from collections.abc import Callable

import torch
from torch import Tensor

from benchmarks.figures import Figure, report
from benchmarks.learning.kernels import use_kernels
from trainer.models import native
from trainer.models.kuramoto.oscillators import driven_oscillators

BATCH, TOKENS, UNITS = 8, 512, 256
ROUNDS = 3
AIM = 10.0


def indexed(gate: Tensor, phase: Tensor, omega: Tensor) -> Tensor:
    """Return the states as anyone would write them down at first: `gate[:, t]`, one token after the other."""
    g = torch.sigmoid(gate)
    drive = torch.stack((g * phase.cos(), g * phase.sin()))
    cos, sin = omega.cos(), omega.sin()
    real = imag = torch.zeros_like(gate[:, 0])
    states = []
    for t in range(gate.shape[1]):
        turned_real, turned_imag = real * cos - imag * sin, real * sin + imag * cos
        real = (1 - g[:, t]) * turned_real + drive[0, :, t]
        imag = (1 - g[:, t]) * turned_imag + drive[1, :, t]
        states.append(torch.stack((real, imag)))
    return torch.stack(states, dim=2)


def scanned(kernels: str) -> Callable[[Tensor, Tensor, Tensor], Tensor]:
    """Return our scan with these kernels."""

    def states(gate: Tensor, phase: Tensor, omega: Tensor) -> Tensor:
        if kernels == "torch":
            native.disable()
        else:
            use_kernels("auto")
        return driven_oscillators(gate, phase, omega)

    return states


def main() -> None:
    """Measure processor time on one thread: it is the same whatever else the machine does."""
    torch.set_num_threads(1)
    torch.manual_seed(0)
    inputs = (torch.randn(BATCH, TOKENS, UNITS) - 2, torch.randn(BATCH, TOKENS, UNITS), torch.randn(UNITS))
    leaves = [one.requires_grad_() for one in inputs]
    forms: dict[str, Callable[[Tensor, Tensor, Tensor], Tensor]] = {"index loop": indexed}
    forms["scan, torch"] = scanned("torch")
    if use_kernels("auto") == "native":
        forms["scan, native"] = scanned("native")
    taken: dict[str, list[float]] = {name: [] for name in forms}
    for _ in range(ROUNDS + 1):
        for name, states in forms.items():
            begun = time.process_time()
            torch.autograd.grad(states(*leaves).sum(), leaves)
            taken[name].append(time.process_time() - begun)
    median = {name: statistics.median(times[1:]) for name, times in taken.items()}
    slow = median["index loop"]
    shape = f"{BATCH}x{TOKENS}x{UNITS}, forward and backward"
    report(
        [
            Figure(f"{name}, {shape}", 1e3 * one, "ms", None, True, ROUNDS, "index loop", one / slow)
            for name, one in median.items()
        ]
        + [
            Figure(f"{name}: times faster than indexing", slow / one, "x", AIM, False, ROUNDS)
            for name, one in median.items()
            if name != "index loop"
        ]
    )


if __name__ == "__main__":
    main()
