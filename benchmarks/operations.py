"""Operations a pass in the torch form of devices, where each is a launch: counted, forward and backward.

    python -m benchmarks.operations              the oscillators of a layer, and models
    python -m benchmarks.operations --compiled   and what torch.compile makes of them: minutes

Views are not counted and nothing is timed, so any machine will do. `before` is what devices had until
November 2026, and a CPU without a compiler still has.
"""

import sys
from collections import Counter
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from typing import Any, cast
from unittest.mock import patch

import torch
from torch import Tensor, nn
from torch.utils._python_dispatch import TorchDispatchMode

from benchmarks.figures import Figure, report
from trainer.config.presets import load_preset
from trainer.models import create
from trainer.models.kssm import KssmBlock
from trainer.models.kuramoto.bank import Bank

BATCH, TOKENS = 8, 512
NO_LAUNCH = frozenset(
    f"aten::{name}"
    for name in (
        "view", "_unsafe_view", "unsqueeze", "squeeze", "expand", "transpose", "t", "select", "slice",
        "detach", "alias", "unbind", "split", "as_strided", "permute", "empty", "empty_like",
        "empty_strided", "new_empty", "new_empty_strided", "_reshape_alias", "lift_fresh",
    )
)  # fmt: skip
"""Views, and memory into which nothing is written."""
CHOOSERS = ("kuramoto.oscillators", "kuramoto.order", "kuramoto.coupling", "gated")
"""Modules that choose between the forms."""
MOST_OPERATIONS, MOST_KERNELS = 212, 30
LARGE, MOST_MEGABYTES = "kssm-v3-28m", 5.0
"""The preset whose oscillators are weighed in all layers, and MB a token that they should read and write."""


class Operations(TorchDispatchMode):
    """Counts what is launched while it is on.

    Attributes:
        counts: by the operation's name.
    """

    def __init__(self) -> None:
        super().__init__()  # type: ignore[no-untyped-call]
        self.counts: Counter[str] = Counter()

    @property
    def total(self) -> int:
        """All of them."""
        return sum(self.counts.values())

    def __torch_dispatch__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        name = func._schema.name
        if name not in NO_LAUNCH:
            self.counts[name] += 1
        return func(*args, **(kwargs or {}))


@contextmanager
def form(of_devices: bool) -> Iterator[None]:
    """Have this CPU work as a device does, or as it did before, the whole batch at once either way."""
    with ExitStack() as stack:
        stack.enter_context(patch("trainer.models.planes.CACHED_ELEMENTS", 2**40))
        for module in CHOOSERS:
            stack.enter_context(patch(f"trainer.models.{module}.is_whole", lambda _: of_devices))
        yield


class Part(nn.Module):
    """Columns of what a bank is given, in the place of one of its projections."""

    def __init__(self, columns: slice) -> None:
        super().__init__()
        self.columns = columns

    def forward(self, projected: Tensor) -> Tensor:
        """Return those columns."""
        return projected[..., self.columns]


def oscillators(preset: str) -> tuple[Bank, int]:
    """Return the bank of one layer between its projections, and the width of what it is given."""
    bank = cast(KssmBlock, create(preset, 64, layers=1).blocks[0]).bank  # type: ignore[index]
    units = bank.config.oscillators
    bank.drive = Part(slice(0, 2 * units))  # type: ignore[assignment]
    if bank.coupling is not None:
        bank.coupling.params = Part(slice(2 * units, None))  # type: ignore[assignment]
    bank.out = nn.Identity()  # type: ignore[assignment]
    return bank, 2 * units + 6


def count_oscillators(preset: str, batch: int = BATCH, tokens: int = TOKENS) -> int:
    """Count what lies between the projections and the features, both ways."""
    bank, width = oscillators(preset)
    projected = torch.randn(batch, tokens, width, requires_grad=True)
    seen = Operations()
    with seen:
        features, reading = bank(projected)
    ones = torch.ones_like(features), torch.ones_like(reading.penalty)
    with seen:
        torch.autograd.grad((features, reading.penalty), (projected, bank.omega), ones)
    return int(seen.total - seen.counts["aten::slice_backward"]) - 1  # the parts put together again


def count_model(preset: str, batch: int = BATCH, tokens: int = TOKENS) -> int:
    """Count a whole model's loss and gradient."""
    model, texts = create(preset, 64), torch.randint(64, (batch, tokens + 1))
    seen = Operations()
    with seen:
        torch.autograd.backward(model.loss(texts[:, :-1], texts[:, 1:]).total)
    return int(seen.total)


def compiled(preset: str, batch: int = BATCH, tokens: int = TOKENS) -> tuple[int, float]:
    """Return the kernels that torch.compile makes of the oscillators of a layer, and bytes a token."""
    from torch._inductor import metrics

    bank, width = oscillators(preset)
    torch.compiler.reset()
    metrics.reset()
    projected = torch.randn(batch, tokens, width, requires_grad=True)
    with counted_bytes() as moved:
        features, reading = torch.compile(bank, dynamic=False, fullgraph=True)(projected)
        torch.autograd.backward(features.sum() + reading.penalty)
    return metrics.generated_kernel_count, sum(moved) / (batch * tokens)


@contextmanager
def counted_bytes() -> Iterator[list[int]]:
    """Gather what the kernels of every graph compiled meanwhile read and write, as inductor counts."""
    from torch._inductor.scheduler import Scheduler

    moved: list[int] = []
    real = Scheduler.codegen

    def codegen(self: Scheduler) -> None:
        moved.extend(node.get_read_write_buffers_sizes() for node in self.nodes)
        real(self)

    with patch.object(Scheduler, "codegen", codegen):
        yield moved


def main() -> None:
    """Count, and print."""
    told = []
    preset = "kssm-v3-tiny"
    with form(of_devices=False):
        before = count_oscillators(preset)
    with form(of_devices=True):
        now = count_oscillators(preset)
        models = {name: count_model(name) for name in ("gpt-tiny", "gated-tiny", preset)}
    what = f"oscillators of a layer, {BATCH}x{TOKENS}"
    told.append(Figure(what, now, "operations", MOST_OPERATIONS, True, 1, "before", now / before))
    for name, count in models.items():
        told.append(Figure(name, count, "operations", None, True, 1, "gpt-tiny", count / models["gpt-tiny"]))
    if "--compiled" in sys.argv[1:]:
        kernels, moved = compiled(preset)
        told.append(Figure(f"{what}, compiled in one graph", kernels, "kernels", MOST_KERNELS))
        told.append(Figure(f"{what}, compiled", moved / 256, "bytes an oscillator and token"))
        moved, layers = compiled(LARGE)[1], load_preset(LARGE)["model"]["layers"]
        all_of_them = f"oscillators of {LARGE}, {layers} layers, compiled"
        told.append(Figure(all_of_them, layers * moved / 1e6, "MB a token", MOST_MEGABYTES))
    report(told)


if __name__ == "__main__":
    main()
