"""The Triton passes as functions with gradients: what the models call on CUDA."""

from typing import Any

import torch
from torch import Tensor
from torch.autograd.function import once_differentiable

from trainer.models.native.driven import NativeDrivenOscillators
from trainer.models.native.gated import NativeGatedStates
from trainer.models.native.gpu import order_passes, scan_passes
from trainer.models.native.order import NativeOrderParameters
from trainer.models.native.rows import paired_gradients, paired_rows
from trainer.models.native.u import NativeLogU
from trainer.models.planes import EPS
from trainer.models.whole.log_u import WholeLogU

LENGTH, WIDTH = 64, 64
"""Tokens a chunk, and units a program."""
ROWS = 4


def _grid(batch: int, tokens: int, units: int) -> tuple[tuple[int, int, int], int]:
    chunks = -(-tokens // LENGTH)
    return (batch, chunks, -(-units // WIDTH)), chunks


class TritonDrivenOscillators(torch.autograd.Function):
    """See `NativeDrivenOscillators`."""

    @staticmethod
    def forward(ctx: Any, gate: Tensor, phase: Tensor, omega: Tensor, start: Tensor) -> Tensor:
        """Launch the two passes."""
        gate, phase, stride = paired_rows(gate, phase)
        omega, start, shape = omega.contiguous(), start.contiguous(), gate.shape
        grid, chunks = _grid(*shape)
        ends = gate.new_empty(2, shape[0], chunks, shape[2])
        decays, states = torch.empty_like(ends[0]), gate.new_empty(2, *shape)
        sizes = (*shape, chunks, True, LENGTH, WIDTH)
        scan_passes.chunk_ends[grid](gate, phase, stride, omega, ends, decays, *sizes)
        scan_passes.chunk_states[grid](gate, phase, stride, omega, start, ends, decays, states, *sizes)
        ctx.save_for_backward(gate, phase, omega, start, decays, states)
        ctx.stride = stride
        return states

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, grad: Tensor) -> tuple[Tensor | None, ...]:
        """Launch the two passes of the gradient, and add up what the chunks say of omega."""
        gate, phase, omega, start, decays, states = ctx.saved_tensors
        grid, chunks = _grid(*gate.shape)
        grad = grad.contiguous()
        grad_gate, grad_phase, to = paired_gradients(gate)
        sends, grad_omega, grad_start = (
            gate.new_empty(2, *decays.shape), torch.empty_like(decays), torch.empty_like(start)
        )  # fmt: skip
        sizes = (*gate.shape, chunks, True, LENGTH, WIDTH)
        scan_passes.chunk_sends[grid](gate, ctx.stride, omega, grad, sends, *sizes)
        scan_passes.chunk_gradients[grid](
            gate, phase, ctx.stride, omega, start, states, grad, sends, decays,
            grad_gate, grad_phase, to, grad_omega, grad_start, *sizes,
        )  # fmt: skip
        return grad_gate, grad_phase, grad_omega.sum((0, 1)), grad_start


class TritonGatedStates(torch.autograd.Function):
    """See `NativeGatedStates`."""

    @staticmethod
    def forward(ctx: Any, gate: Tensor, value: Tensor) -> Tensor:
        """Launch the two passes."""
        gate, value, stride = paired_rows(gate, value)
        rest = gate.new_zeros(gate.shape[0], gate.shape[2])
        grid, chunks = _grid(*gate.shape)
        ends = gate.new_empty(gate.shape[0], chunks, gate.shape[2])
        decays, states = torch.empty_like(ends), gate.new_empty(gate.shape)
        sizes = (*gate.shape, chunks, False, LENGTH, WIDTH)
        scan_passes.chunk_ends[grid](gate, value, stride, rest, ends, decays, *sizes)
        scan_passes.chunk_states[grid](gate, value, stride, rest, rest, ends, decays, states, *sizes)
        ctx.save_for_backward(gate, value, rest, decays, states)
        ctx.stride = stride
        return states

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, grad: Tensor) -> tuple[Tensor, Tensor]:
        """Launch the two passes of the gradient."""
        gate, value, rest, decays, states = ctx.saved_tensors
        grid, chunks = _grid(*gate.shape)
        grad = grad.contiguous()
        grad_gate, grad_value, to = paired_gradients(gate)
        sends = torch.empty_like(decays)
        sizes = (*gate.shape, chunks, False, LENGTH, WIDTH)
        scan_passes.chunk_sends[grid](gate, ctx.stride, rest, grad, sends, *sizes)
        scan_passes.chunk_gradients[grid](
            gate, value, ctx.stride, rest, rest, states, grad, sends, decays,
            grad_gate, grad_value, to, sends, sends, *sizes,
        )  # fmt: skip
        return grad_gate, grad_value


class TritonOrderParameters(torch.autograd.Function):
    """See `NativeOrderParameters`."""

    @staticmethod
    def forward(
        ctx: Any, z: Tensor, coupling: Tensor | None, harmonics: int
    ) -> tuple[Tensor, Tensor, Tensor]:
        """Launch the pass."""
        _, batch, tokens, group, groups = z.shape
        z, coupling = z.contiguous(), None if coupling is None else coupling.contiguous()
        features = z.new_empty(batch, tokens, 3, harmonics, groups)
        R, coherence = z.new_empty(batch, tokens), z.new_empty(batch, tokens)
        ctx.sizes = (batch * tokens, groups, EPS, coupling is not None, group, harmonics, ROWS, WIDTH)
        pull = z if coupling is None else coupling
        order_passes.order_features[_rows(ctx.sizes[0])](z, pull, features, R, coherence, *ctx.sizes)
        ctx.save_for_backward(z, coupling, features)
        ctx.mark_non_differentiable(R, coherence)
        ctx.set_materialize_grads(False)
        return features, R, coherence

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, grad: Tensor | None, *_: Tensor) -> tuple[Tensor | None, ...]:
        """Launch the pass of the gradient."""
        if grad is None:
            return None, None, None
        z, coupling, features = ctx.saved_tensors
        grad_z = torch.empty_like(z)
        grad_coupling = None if coupling is None else torch.empty_like(coupling)
        pull, to = (z, z) if coupling is None else (coupling, grad_coupling)
        order_passes.order_gradients[_rows(ctx.sizes[0])](
            z, pull, features, grad.contiguous(), grad_z, to, *ctx.sizes
        )
        return grad_z, grad_coupling, None


def _rows(rows: int) -> tuple[int]:
    return (-(-rows // ROWS),)


FORMS: dict[type[torch.autograd.Function], type[torch.autograd.Function]] = {
    NativeDrivenOscillators: TritonDrivenOscillators,
    NativeGatedStates: TritonGatedStates,
    NativeOrderParameters: TritonOrderParameters,
    NativeLogU: WholeLogU,
}
"""What takes the place of which function of a CPU."""
