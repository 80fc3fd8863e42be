"""The control without oscillators: `s_t = (1 - g_t) s_{t-1} + g_t v_t`, a plain gated recurrence.

It is kssm-v3 with omega = 0, a real state, no coupling and a linear read-out, at equal parameters.
"""

import math
from typing import Any, cast

import torch
from torch import Tensor, nn
from torch.autograd.function import once_differentiable
from torch.nn.functional import pad

from trainer.config.model import ModelConfig
from trainer.models import native
from trainer.models.base import FeedForward, LanguageModel, initialise_linear, kept, parted, without_order
from trainer.models.kuramoto.bank import SLOWEST
from trainer.models.kuramoto.scan import chunk_length, scan, scan_back
from trainer.models.native.gated import NativeGatedStates
from trainer.models.native.rows import halves
from trainer.models.outputs import Features
from trainer.models.whole import is_whole
from trainer.models.whole.gated_whole import gated_whole


def gated_states(gate: Tensor, value: Tensor, keep: Tensor | None = None) -> Tensor:
    """Return the states `[B, T, N]` after every token, from rest, for gate logits and values `[B, T, N]`.

    `keep` is as of `driven_oscillators`.
    """
    if native.serves(gate) and keep is None:
        native_states: Tensor = native.apply(NativeGatedStates, gate, value)
        return native_states
    if keep is not None or is_whole(gate):
        return gated_whole(gate, value, keep)
    tokens = gate.shape[1]
    spare = -tokens % chunk_length(tokens)
    if spare:
        gate = pad(gate, (0, 0, 0, spare))
        value = pad(value, (0, 0, 0, spare))
    states: Tensor = _GatedStates.apply(gate, value)  # type: ignore[no-untyped-call]
    return states[:, :tokens]


class _GatedStates(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, gate: Tensor, value: Tensor) -> Tensor:
        batch, tokens, units = gate.shape
        length = chunk_length(tokens)
        shape = (batch, tokens // length, length, units)
        g = torch.sigmoid(gate).view(shape)
        a = 1 - g
        planes = torch.empty((2, *shape), device=gate.device, dtype=gate.dtype)
        torch.mul(g, value.reshape(shape), out=planes[0])
        carry = scan(a, planes, gate.new_zeros(1, batch, units), None)
        ctx.save_for_backward(a, value, planes, carry)
        return planes[0].reshape(batch, tokens, units)

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, grad: Tensor) -> tuple[Tensor, Tensor]:
        a, value, planes, carry = ctx.saved_tensors
        adjoint = torch.empty_like(planes)
        adjoint[0] = grad.reshape(a.shape)
        scan_back(a, adjoint, None)
        v = adjoint[0]
        g = 1 - a
        before = torch.cat((carry[0].unsqueeze(2), planes[0, :, :, :-1]), dim=2)
        pull = (value.reshape(a.shape) - before).mul_(v).mul_(g).mul_(a)
        return pull.view(grad.shape), v.mul_(g).view(grad.shape)


class GatedBlock(nn.Module):
    """A gated recurrence with a linear read-out, then a feed-forward part, both inside residuals."""

    def __init__(self, config: ModelConfig) -> None:
        super().__init__()
        units = config.oscillators
        self.bank_norm = nn.LayerNorm(config.dim)
        self.drive = nn.Linear(config.dim, 2 * units)
        self.out = nn.Linear(units, config.dim)
        self.ffn_norm = nn.LayerNorm(config.dim)
        self.ffn = FeedForward(config)
        initialise_linear(self.drive, config.dim**-0.5)
        initialise_linear(self.out, units**-0.5)
        with torch.no_grad():
            self.drive.bias[:units] = -torch.logspace(0.0, math.log10(SLOWEST), units).log()

    def forward(self, stream: Tensor, keep: Tensor | None = None) -> Tensor:
        """Return the next stream `[B, T, D]`; `keep` is as of `driven_oscillators`."""
        return self._finish(stream, gated_states(*self._drive(stream), keep))

    def advance(self, stream: Tensor, state: Tensor) -> tuple[Tensor, Tensor]:
        """Take one position `[B, 1, D]` into the state `[B, N]`."""
        gate, value = self._drive(stream)
        g = torch.sigmoid(gate[:, 0])
        state = (1 - g) * state + g * value[:, 0]
        return self._finish(stream, state.unsqueeze(1)), state

    def _drive(self, stream: Tensor) -> tuple[Tensor, Tensor]:
        with torch.autocast(stream.device.type, enabled=False):
            gate, value = halves(self.drive(self.bank_norm(stream).float()))
        return gate, value

    def _finish(self, stream: Tensor, states: Tensor) -> Tensor:
        stream = stream + self.out(states)
        out: Tensor = stream + self.ffn(self.ffn_norm(stream))
        return out


class GatedRecurrence(LanguageModel[list[Tensor]]):
    """The gated control, with the interface of kssm-v3."""

    def __init__(self, config: ModelConfig, vocab_size: int) -> None:
        super().__init__(config, vocab_size)
        self.blocks = nn.ModuleList(GatedBlock(config) for _ in range(config.layers))

    def features(self, tokens: Tensor) -> Features:
        """See `LanguageModel.features`."""
        ids, begins = parted(tokens)
        stream, keep = self.embedding(ids), kept(begins)
        for block in self.blocks:
            stream = block(stream, keep)
        return without_order(self.norm(stream))

    def _typed_blocks(self) -> list[GatedBlock]:
        return [cast(GatedBlock, block) for block in self.blocks]

    def init_state(self, batch: int) -> list[Tensor]:
        """Return states at rest, one `[B, N]` a layer."""
        device = self.embedding.weight.device
        return [torch.zeros(batch, self.config.oscillators, device=device) for _ in self.blocks]

    def advance(self, token: Tensor, state: list[Tensor]) -> tuple[Features, list[Tensor]]:
        """See `LanguageModel.advance`."""
        stream, states = self.embedding(token).unsqueeze(1), []
        for block, old in zip(self._typed_blocks(), state, strict=True):
            stream, new = block.advance(stream, old)
            states.append(new)
        return without_order(self.norm(stream)), states
