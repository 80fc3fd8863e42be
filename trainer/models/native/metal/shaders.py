"""The Metal passes as functions with gradients: what the models call on a Mac."""

from functools import cache
from pathlib import Path
from typing import Any

import torch
from torch import Tensor
from torch.autograd.function import once_differentiable

from trainer.models.native.driven import NativeDrivenOscillators
from trainer.models.native.gated import NativeGatedStates
from trainer.models.native.library import MOST_PLACES
from trainer.models.native.order import NativeOrderParameters
from trainer.models.native.rows import paired_gradients, paired_rows
from trainer.models.native.u import NativeLogU
from trainer.models.planes import EPS
from trainer.models.whole.log_u import WholeLogU

SOURCE = Path(__file__).with_name("passes.metal")
LENGTH = 64
"""Tokens a chunk, as in the source."""
GROUP = 64
"""Threads that a core takes together."""


@cache
def passes() -> Any:
    """Return the kernels of `passes.metal`, compiled for this Mac.

    Raises:
        RuntimeError: torch has no MPS here.
        SyntaxError: Metal cannot compile them.
    """
    return torch.mps.compile_shader(SOURCE.read_text(encoding="utf-8"))


def _chunks(tokens: int) -> int:
    return -(-tokens // LENGTH)


def _short_rows(one: Tensor, other: Tensor) -> tuple[Tensor, Tensor, int]:
    """Return `paired_rows`, dense where the place of a number in wider rows would not fit 32 bits."""
    one, other, stride = paired_rows(one, other)
    if one.shape[0] * one.shape[1] * stride < MOST_PLACES:
        return one, other, stride
    return one.contiguous(), other.contiguous(), one.shape[2]


def _run(name: str, threads: int, *arguments: Tensor | int | float) -> None:
    getattr(passes(), name)(*arguments, threads=[threads], group_size=[GROUP])


class MetalDrivenOscillators(torch.autograd.Function):
    """See `NativeDrivenOscillators`."""

    @staticmethod
    def forward(ctx: Any, gate: Tensor, phase: Tensor, omega: Tensor, start: Tensor) -> Tensor:
        """Launch the two passes."""
        gate, phase, stride = _short_rows(gate, phase)
        omega, start = omega.contiguous(), start.contiguous()
        batch, tokens, units = gate.shape
        chunks = _chunks(tokens)
        ends, states = gate.new_empty(2, batch, chunks, units), gate.new_empty(2, *gate.shape)
        decays = torch.empty_like(ends[0])
        ctx.sizes = (batch, tokens, units, chunks, 1)
        ctx.threads, ctx.stride = batch * chunks * units, stride
        _run("chunk_ends", ctx.threads, gate, phase, omega, ends, decays, stride, *ctx.sizes)
        _run("chunk_states", ctx.threads, gate, phase, omega, start, ends, decays, states, stride, *ctx.sizes)
        ctx.save_for_backward(gate, phase, omega, start, decays, states)
        return states

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, grad: Tensor) -> tuple[Tensor | None, ...]:
        """Launch the two passes of the gradient, and add up what the chunks say of omega."""
        gate, phase, omega, start, decays, states = ctx.saved_tensors
        grad = grad.contiguous()
        grad_gate, grad_phase, to = paired_gradients(gate)
        sends, grad_omega, grad_start = (
            gate.new_empty(2, *decays.shape), torch.empty_like(decays), torch.empty_like(start)
        )  # fmt: skip
        _run("chunk_sends", ctx.threads, gate, omega, grad, sends, ctx.stride, *ctx.sizes)
        _run(
            "chunk_gradients", ctx.threads, gate, phase, omega, start, states, grad, sends, decays,
            grad_gate, grad_phase, grad_omega, grad_start, ctx.stride, to, *ctx.sizes,
        )  # fmt: skip
        return grad_gate, grad_phase, grad_omega.sum((0, 1)), grad_start


class MetalGatedStates(torch.autograd.Function):
    """See `NativeGatedStates`."""

    @staticmethod
    def forward(ctx: Any, gate: Tensor, value: Tensor) -> Tensor:
        """Launch the two passes."""
        gate, value, stride = _short_rows(gate, value)
        batch, tokens, units = gate.shape
        chunks = _chunks(tokens)
        rest = gate.new_zeros(batch, units)
        ends, states = gate.new_empty(batch, chunks, units), gate.new_empty(gate.shape)
        decays = torch.empty_like(ends)
        ctx.sizes = (batch, tokens, units, chunks, 0)
        ctx.threads, ctx.stride = batch * chunks * units, stride
        _run("chunk_ends", ctx.threads, gate, value, rest, ends, decays, stride, *ctx.sizes)
        _run("chunk_states", ctx.threads, gate, value, rest, rest, ends, decays, states, stride, *ctx.sizes)
        ctx.save_for_backward(gate, value, rest, decays, states)
        return states

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, grad: Tensor) -> tuple[Tensor, Tensor]:
        """Launch the two passes of the gradient."""
        gate, value, rest, decays, states = ctx.saved_tensors
        grad = grad.contiguous()
        grad_gate, grad_value, to = paired_gradients(gate)
        sends = torch.empty_like(decays)
        _run("chunk_sends", ctx.threads, gate, rest, grad, sends, ctx.stride, *ctx.sizes)
        _run(
            "chunk_gradients", ctx.threads, gate, value, rest, rest, states, grad, sends, decays,
            grad_gate, grad_value, sends, sends, ctx.stride, to, *ctx.sizes,
        )  # fmt: skip
        return grad_gate, grad_value


class MetalOrderParameters(torch.autograd.Function):
    """See `NativeOrderParameters`; the means over a token's groups are torch's."""

    @staticmethod
    def forward(
        ctx: Any, z: Tensor, coupling: Tensor | None, harmonics: int
    ) -> tuple[Tensor, Tensor, Tensor]:
        """Launch the pass."""
        _, batch, tokens, group, groups = z.shape
        z, coupling = z.contiguous(), None if coupling is None else coupling.contiguous()
        features = z.new_empty(batch, tokens, 3, harmonics, groups)
        agreed = z.new_empty(batch, tokens, groups)
        ctx.sizes = (EPS, batch * tokens, groups, group, harmonics, int(coupling is not None))
        pull = z if coupling is None else coupling
        _run("order_features", agreed.numel(), z, pull, features, agreed, *ctx.sizes)
        R, coherence = features[:, :, 2, 0].mean(-1), agreed.mean(-1)
        ctx.save_for_backward(z, coupling, features)
        ctx.mark_non_differentiable(R, coherence)
        ctx.set_materialize_grads(False)
        return features, R, coherence

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, grad: Tensor | None, *_: Tensor) -> tuple[Tensor | None, ...]:
        """Launch the pass of the gradient, and add up what the groups say of K."""
        if grad is None:
            return None, None, None
        z, coupling, features = ctx.saved_tensors
        grad_z = torch.empty_like(z)
        pulls = z.new_empty(*z.shape[1:3], z.shape[4])
        pull = z if coupling is None else coupling
        _run(
            "order_gradients", pulls.numel(), z, pull, features, grad.contiguous(), grad_z, pulls, *ctx.sizes
        )
        return grad_z, None if coupling is None else pulls.sum(-1), None


FORMS: dict[type[torch.autograd.Function], type[torch.autograd.Function]] = {
    NativeDrivenOscillators: MetalDrivenOscillators,
    NativeGatedStates: MetalGatedStates,
    NativeOrderParameters: MetalOrderParameters,
    NativeLogU: WholeLogU,
}
"""What takes the place of which function of a CPU."""
