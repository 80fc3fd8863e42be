"""Models as others wrote them, small and plain: after the facts that are known of them, in our own words.

Only the names of their weights are theirs.
"""

from typing import Any

import torch
from torch import Tensor, nn
from torch.nn.functional import gelu, layer_norm, linear, softmax

VOCABULARY, DIM, UNITS, PLACES = 23, 12, 6, 16


def coupled(theta: Tensor, strength: Tensor | float) -> Tensor:
    """Each phase is drawn to the mean of all, once."""
    sin, cos = theta.sin().mean(-1, keepdim=True), theta.cos().mean(-1, keepdim=True)
    return theta + strength * (sin * theta.cos() - cos * theta.sin())


def order(theta: Tensor, n: int) -> tuple[Tensor, Tensor, Tensor]:
    cos, sin = (n * theta).cos().mean(-1), (n * theta).sin().mean(-1)
    return cos, sin, (cos**2 + sin**2 + 1e-8).sqrt()


class Bag(nn.Module):
    """Modules and parameters under the names that are given."""

    def __init__(self, **parts: nn.Module | nn.Parameter) -> None:
        super().__init__()
        for name, part in parts.items():
            setattr(self, name, part)

    def __getattr__(self, name: str) -> Any:
        return super().__getattr__(name)


class ReferenceV1(nn.Module):
    def __init__(self, harmonics: int = 3) -> None:
        super().__init__()
        self.harmonics = harmonics
        self.embed = nn.Embedding(VOCABULARY, DIM)
        self.to_oscillators = nn.Linear(DIM, UNITS)
        self.oscillators = Bag(
            omega=nn.Parameter(torch.randn(UNITS)), coupling=nn.Parameter(torch.randn(UNITS, UNITS))
        )
        self.process = nn.Sequential(nn.Linear(3 * harmonics, DIM), nn.GELU(), nn.Linear(DIM, DIM), nn.GELU())
        self.to_logits = nn.Linear(DIM, VOCABULARY)

    def forward(self, tokens: Tensor) -> Tensor:
        theta = coupled(self.oscillators.omega + self.to_oscillators(self.embed(tokens)), 2.0)
        rows = [part for n in range(1, self.harmonics + 1) for part in order(theta, n)]
        out: Tensor = self.to_logits(self.process(torch.stack(rows, -1)))
        return out


class ReferenceStack(nn.Module):
    """What v2 and v3 share: a table of positions, blocks, a tied head."""

    def __init__(self, blocks: list[nn.Module], *, aggregates: bool = False) -> None:
        super().__init__()
        if aggregates:
            self.R_aggregator = nn.Linear(len(blocks), 1)  # read by nothing
        self.embed = nn.Embedding(VOCABULARY, DIM)
        self.pos_embed = nn.Parameter(torch.randn(1, PLACES, DIM))
        self.blocks = nn.ModuleList(blocks)
        self.final_norm = nn.LayerNorm(DIM)
        self.output_head = nn.Linear(DIM, VOCABULARY, bias=False)
        self.output_head.weight = self.embed.weight

    def forward(self, tokens: Tensor) -> Tensor:
        stream = self.embed(tokens) + self.pos_embed[:, : tokens.shape[1]]
        for block in self.blocks:
            stream = block(stream)
        out: Tensor = self.output_head(self.final_norm(stream))
        return out


class ReferenceBlockV2(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.norm1, self.norm2 = nn.LayerNorm(DIM), nn.LayerNorm(DIM)
        self.oscillators = Bag(
            omega=nn.Parameter(torch.randn(UNITS)), to_freq=nn.Linear(DIM, UNITS),
            coupling_mod=nn.Linear(DIM, 1), phase_to_hidden=nn.Linear(2 * UNITS, DIM),
        )  # fmt: skip
        inner = [nn.Linear(DIM, 4 * DIM), nn.GELU(), nn.Dropout(), nn.Linear(4 * DIM, DIM), nn.Dropout()]
        self.ffn = nn.Sequential(*inner)

    def forward(self, stream: Tensor) -> Tensor:
        seen, bank = self.norm1(stream), self.oscillators
        theta = coupled(bank.omega + bank.to_freq(seen), 2 * bank.coupling_mod(seen).sigmoid())
        stream = stream + bank.phase_to_hidden(torch.cat((theta.sin(), theta.cos()), -1))
        out: Tensor = stream + self.ffn(self.norm2(stream))
        return out


class ReferenceBlockV3(nn.Module):
    def __init__(self, harmonics: int, *, clamped: bool) -> None:
        super().__init__()
        self.harmonics, self.clamped = harmonics, clamped
        self.norm1, self.norm2 = nn.LayerNorm(DIM), nn.LayerNorm(DIM)
        self.oscillators = Bag(
            to_params=nn.Linear(DIM, 10), omega_0=nn.Parameter(torch.randn(UNITS)),
            readout=nn.Linear(3 * harmonics, DIM), delta_param=nn.Parameter(torch.ones(1) * 0.1),
        )  # fmt: skip
        self.ffn = nn.Sequential(nn.Linear(DIM, 4 * DIM), nn.GELU(), nn.Linear(4 * DIM, DIM))

    def forward(self, stream: Tensor) -> Tensor:
        seen, bank = self.norm1(stream), self.oscillators
        a, _, c, d, e, _, g, h, _, _ = bank.to_params(seen).unbind(-1)
        u = (d * g - c * h) / (a * g - c * e + 1e-6)
        u = u.clamp(0.1, 10) if self.clamped else u
        theta = coupled(bank.omega_0 + seen.mean(-1, keepdim=True), 2 * u.sigmoid().unsqueeze(-1))
        theta = theta - (bank.delta_param.abs() + 1e-5) * torch.randn(theta.shape)
        parts = zip(*(order(theta, n) for n in range(1, self.harmonics + 1)), strict=True)
        stream = stream + bank.readout(torch.cat([torch.stack(part, -1) for part in parts], -1))
        out: Tensor = stream + self.ffn(self.norm2(stream))
        return out


class ReferenceGPT(nn.Module):
    """GPT-2 as nanoGPT names it; `bias` as its option has it."""

    def __init__(self, heads: int, *, bias: bool, tanh: bool = False, layers: int = 2) -> None:
        super().__init__()
        self.heads, self.approximate = heads, "tanh" if tanh else "none"

        def norm() -> Bag:
            one = Bag(weight=nn.Parameter(torch.randn(DIM)))
            if bias:
                one.bias = nn.Parameter(torch.randn(DIM))
            return one

        def block() -> Bag:
            attn = Bag(c_attn=nn.Linear(DIM, 3 * DIM, bias=bias), c_proj=nn.Linear(DIM, DIM, bias=bias))
            attn.register_buffer("bias", torch.ones(1, 1, PLACES, PLACES).tril())
            mlp = Bag(c_fc=nn.Linear(DIM, 4 * DIM, bias=bias), c_proj=nn.Linear(4 * DIM, DIM, bias=bias))
            return Bag(ln_1=norm(), attn=attn, ln_2=norm(), mlp=mlp)

        self.transformer = Bag(
            wte=nn.Embedding(VOCABULARY, DIM), wpe=nn.Embedding(PLACES, DIM), ln_f=norm(),
            h=nn.ModuleList(block() for _ in range(layers)),
        )  # fmt: skip
        self.lm_head = nn.Linear(DIM, VOCABULARY, bias=False)
        self.lm_head.weight = self.transformer.wte.weight

    def forward(self, tokens: Tensor) -> Tensor:
        body, count = self.transformer, tokens.shape[1]

        def normed(part: Bag, stream: Tensor) -> Tensor:
            return layer_norm(stream, (DIM,), part.weight, getattr(part, "bias", None))

        stream = body.wte(tokens) + body.wpe(torch.arange(count))
        for block in body.h:
            query, key, value = block.attn.c_attn(normed(block.ln_1, stream)).chunk(3, -1)
            query, key, value = (
                one.unflatten(-1, (self.heads, -1)).transpose(1, 2) for one in (query, key, value)
            )
            scores = query @ key.transpose(-1, -2) / (DIM // self.heads) ** 0.5
            scores = scores.masked_fill(torch.ones(count, count).triu(1).bool(), -torch.inf)
            mixed = (softmax(scores, -1) @ value).transpose(1, 2).flatten(2)
            stream = stream + block.attn.c_proj(mixed)
            inner = gelu(block.mlp.c_fc(normed(block.ln_2, stream)), approximate=self.approximate)
            stream = stream + block.mlp.c_proj(inner)
        return linear(normed(body.ln_f, stream), self.lm_head.weight)


class Conv1D(nn.Module):
    """A linear layer whose weight is [in, out]."""

    def __init__(self, inner: int, outer: int) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.randn(inner, outer) * inner**-0.5)
        self.bias = nn.Parameter(torch.randn(outer))

    def forward(self, stream: Tensor) -> Tensor:
        return torch.einsum("...i,io->...o", stream, self.weight) + self.bias


class ReferenceGPT2(ReferenceGPT):
    """GPT-2 as Hugging Face lays it out."""

    def __init__(self, heads: int, *, tanh: bool = True) -> None:
        super().__init__(heads, bias=True, tanh=tanh)
        for block in self.transformer.h:
            block.attn.c_attn, block.attn.c_proj = Conv1D(DIM, 3 * DIM), Conv1D(DIM, DIM)
            block.mlp.c_fc, block.mlp.c_proj = Conv1D(DIM, 4 * DIM), Conv1D(4 * DIM, DIM)
