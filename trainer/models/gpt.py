"""The control with attention: a small GPT with GPT-2's initialisation and a tied head.

Its positions are turned, or a learned table as GPT-2 has it.
"""

from dataclasses import dataclass
from typing import cast

import torch
from torch import Tensor, nn
from torch.nn.functional import scaled_dot_product_attention

from trainer.config.model import ModelConfig
from trainer.models.base import (
    EMBEDDING_STD,
    FeedForward,
    LanguageModel,
    initialise_linear,
    parted,
    without_order,
)
from trainer.models.outputs import Features
from trainer.models.published.positionwise import Positions

ROTARY_BASE = 10_000.0


@dataclass(frozen=True)
class KeyValues:
    """Keys and values seen so far, `[B, heads, t, D / heads]` a layer, t tokens."""

    keys: list[Tensor]
    values: list[Tensor]


class Attention(nn.Module):
    """Causal self-attention; queries and keys are rotated (Su et al. 2021, RoFormer), or know no position."""

    def __init__(self, config: ModelConfig) -> None:
        super().__init__()
        self.heads, self.rotates = config.heads, config.places == "rotary"
        self.project = nn.Linear(config.dim, 3 * config.dim)
        self.out = nn.Linear(config.dim, config.dim)

    def split(self, stream: Tensor, start: int) -> tuple[Tensor, Tensor, Tensor]:
        """Return queries, keys and values `[B, heads, T, D / heads]` from position `start` on"""
        parts = self.project(stream).unflatten(-1, (3, self.heads, -1)).permute(2, 0, 3, 1, 4)
        query, key, value = parts.unbind(0)
        if not self.rotates:
            return query, key, value
        cos, sin = _rotation(start, stream.shape[1], query.shape[-1], stream.device)
        return _rotate(query, cos, sin), _rotate(key, cos, sin), value

    def merge(self, heads: Tensor) -> Tensor:
        """Return `[B, T, D]` of the heads' answers."""
        out: Tensor = self.out(heads.transpose(1, 2).flatten(2))
        return out


class GPTBlock(nn.Module):
    """Pre-norm attention and feed-forward part."""

    def __init__(self, config: ModelConfig) -> None:
        super().__init__()
        self.attention_norm = nn.LayerNorm(config.dim)
        self.attention = Attention(config)
        self.ffn_norm = nn.LayerNorm(config.dim)
        self.ffn = FeedForward(config)

    def forward(self, stream: Tensor, seen: Tensor | None = None) -> Tensor:
        """Return the next stream `[B, T, D]`.

        Args:
            seen: bool `[B, 1, T, T]`, which positions each one looks at; None: itself and all before it.
        """
        query, key, value = self.attention.split(self.attention_norm(stream), 0)
        heads = scaled_dot_product_attention(query, key, value, seen, is_causal=seen is None)
        return self._finish(stream, heads)

    def advance(self, stream: Tensor, keys: Tensor, values: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """Take one position `[B, 1, D]`; returns the next stream and the longer keys and values."""
        query, key, value = self.attention.split(self.attention_norm(stream), keys.shape[2])
        keys, values = torch.cat((keys, key), dim=2), torch.cat((values, value), dim=2)
        heads = scaled_dot_product_attention(query, keys, values)
        return self._finish(stream, heads), keys, values

    def _finish(self, stream: Tensor, heads: Tensor) -> Tensor:
        stream = stream + self.attention.merge(heads)
        out: Tensor = stream + self.ffn(self.ffn_norm(stream))
        return out


class GPT(LanguageModel[KeyValues]):
    """The attention control, with the interface of kssm-v3; a step costs as much as the text is long."""

    def __init__(self, config: ModelConfig, vocab_size: int) -> None:
        super().__init__(config, vocab_size)
        self.places = Positions(config) if config.places == "learned" else None
        if self.places is not None:
            nn.init.normal_(self.places.table.weight, std=EMBEDDING_STD)
        self.blocks = nn.ModuleList(GPTBlock(config) for _ in range(config.layers))
        into_stream = EMBEDDING_STD * (2 * config.layers) ** -0.5
        for block in self._typed_blocks():
            for module in (block.attention.project, block.ffn.rise):
                initialise_linear(module, EMBEDDING_STD)
            for module in (block.attention.out, block.ffn.fall):
                initialise_linear(module, into_stream)

    def _typed_blocks(self) -> list[GPTBlock]:
        return [cast(GPTBlock, block) for block in self.blocks]

    def features(self, tokens: Tensor) -> Features:
        """See `LanguageModel.features`."""
        return without_order(self.norm(self.stream(tokens)))

    def stream(self, tokens: Tensor) -> Tensor:
        """Return what the last block makes of tokens (see `parted`), before the final norm: `[B, T, D]`."""
        ids, begins = parted(tokens)
        stream, seen = self._enter(ids, 0), _within_documents(begins)
        for block in self.blocks:
            stream = block(stream, seen)
        return stream

    def init_state(self, batch: int) -> KeyValues:
        """Return an empty cache."""
        config = self.config
        empty = self.embedding.weight.new_empty(batch, config.heads, 0, config.dim // config.heads)
        return KeyValues([empty] * config.layers, [empty] * config.layers)

    def advance(self, token: Tensor, state: KeyValues) -> tuple[Features, KeyValues]:
        """See `LanguageModel.advance`."""
        stream, state = self.advance_stream(token, state)
        return without_order(self.norm(stream)), state

    def advance_stream(self, token: Tensor, state: KeyValues) -> tuple[Tensor, KeyValues]:
        """Likewise, before the final norm: `[B, 1, D]`."""
        stream = self._enter(token.unsqueeze(1), state.keys[0].shape[2])
        keys, values = [], []
        for block, key, value in zip(self._typed_blocks(), state.keys, state.values, strict=True):
            stream, key, value = block.advance(stream, key, value)
            keys.append(key)
            values.append(value)
        return stream, KeyValues(keys, values)

    def _enter(self, tokens: Tensor, start: int) -> Tensor:
        stream: Tensor = self.embedding(tokens)
        return stream if self.places is None else stream + self.places(tokens, start)


def _within_documents(begins: Tensor | None) -> Tensor | None:
    """Return which positions each one looks at, bool `[B, 1, T, T]`: those of its document up to itself."""
    if begins is None:
        return None
    document = begins.cumsum(1)
    return (document.unsqueeze(2) == document.unsqueeze(1)).tril().unsqueeze(1)


def _rotation(start: int, tokens: int, width: int, device: torch.device) -> tuple[Tensor, Tensor]:
    """Return cos and sin `[tokens, width / 2]` of the positions' angles; float32 whatever the autocast."""
    with torch.autocast(device.type, enabled=False):
        exponent = torch.arange(0, width, 2, device=device, dtype=torch.float32) / width
        position = torch.arange(start, start + tokens, device=device, dtype=torch.float32)
        angle = torch.outer(position, ROTARY_BASE**-exponent)
    return angle.cos(), angle.sin()


def _rotate(heads: Tensor, cos: Tensor, sin: Tensor) -> Tensor:
    """Rotate the pairs (i, i + width/2) of `heads [B, heads, T, width]`."""
    left, right = heads.chunk(2, dim=-1)
    turned = torch.cat((left * cos - right * sin, right * cos + left * sin), dim=-1)
    return turned.to(heads.dtype)
