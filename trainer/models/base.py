"""What all models share: a tied embedding, blocks between, and one interface for the loop."""

import math
from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import replace
from typing import Any, Generic, TypeVar

import torch
from torch import Tensor, nn
from torch.nn.functional import gelu, linear

from trainer.config.model import ModelConfig
from trainer.models.cross_entropy import capped, head_cross_entropy, whole_head_loss
from trainer.models.outputs import U_HIGH, U_LOW, Features, LossOutput, Output, StepOutput

EMBEDDING_STD = 0.02
"""GPT-2's. With the published N(0, 1) and a tied head, training starts at a CE of 340 nats."""

State = TypeVar("State")


class LanguageModel(nn.Module, ABC, Generic[State]):
    """A causal language model over tokens `[B, T]`: a parallel form, and a form of one token at a time."""

    def __init__(self, config: ModelConfig, vocab_size: int) -> None:
        super().__init__()
        self.config = config
        self.embedding = nn.Embedding(vocab_size, config.dim)
        nn.init.normal_(self.embedding.weight, std=EMBEDDING_STD)
        self.norm = nn.LayerNorm(config.dim)

    @abstractmethod
    def features(self, tokens: Tensor) -> Features:
        """Return what the blocks make of `tokens [B, T]`, or of pairs `[B, T, 2]`; see `parted`."""

    @abstractmethod
    def init_state(self, batch: int) -> State:
        """Return the state before the first token of `batch` texts."""

    @abstractmethod
    def advance(self, token: Tensor, state: State) -> tuple[Features, State]:
        """Take one token `[B]` into the state; the features have T = 1."""

    def head(self, hidden: Tensor) -> Tensor:
        """Return logits `[..., V]` of `hidden [..., D]`; the head is the embedding."""
        return capped(linear(hidden, self.embedding.weight), self.config.soft_cap)

    def forward(self, tokens: Tensor) -> Output:
        """Return the scores of every next token of `tokens [B, T]`, and what the oscillators did."""
        seen = self.features(tokens)
        return Output(self.head(seen.hidden), seen.R, seen.coherence, seen.u, seen.penalty)

    @torch.no_grad()
    def step(self, token: Tensor, state: State) -> tuple[StepOutput, State]:
        """Take one token `[B]`; the work does not grow with the text (but for `gpt`, whose cache grows)."""
        seen, state = self.advance(token, state)
        u = None if seen.u is None else seen.u[:, 0]
        logits = self.head(seen.hidden)[:, 0]
        return StepOutput(logits, seen.R[:, 0], seen.coherence[:, 0], u), state

    def loss(self, tokens: Tensor, targets: Tensor, scored: Tensor | None = None) -> LossOutput:
        """Return CE, penalty and statistics of `tokens` against `targets`, each `[B, T]`.

        Args:
            scored: `[B, T]` float32, what each position weighs in the mean CE (`trainer.data.scored`); None:
                alike. The penalty is one on the model, and keeps to all positions.
        """
        seen = self.features(tokens)
        if not self.config.z_loss:
            return self.account(seen, self.cross_entropy(seen, targets, scored))
        ce, z = whole_head_loss(self.head, seen.hidden, targets, scored)
        out = self.account(seen, ce)
        return replace(out, total=out.total + self.config.z_loss * z)

    def cross_entropy(self, seen: Features, targets: Tensor, scored: Tensor | None = None) -> Tensor:
        """Return the mean CE, nats a token, of what was made of a text against `targets [B, T]`."""
        if self.config.soft_cap:
            return whole_head_loss(self.head, seen.hidden, targets, scored)[0]
        weighs = None if scored is None else scored.flatten()
        return head_cross_entropy(seen.hidden.flatten(0, 1), self.embedding.weight, targets.flatten(), weighs)

    def account(self, seen: Features, ce: Tensor) -> LossOutput:
        """Return what a step needs of features and the mean CE of their head."""
        total = ce + self.config.reg * seen.penalty if seen.u is not None else ce
        u = None if seen.u is None else seen.u.detach()
        none = ce.new_full((), math.nan)
        return LossOutput(
            total=total,
            ce=ce.detach(),
            penalty=seen.penalty.detach(),
            R_mean=seen.R.mean(),
            coherence_mean=seen.coherence.mean(),
            u=u,
            u_low_share=none if u is None else (u <= U_LOW).float().mean(),
            u_high_share=none if u is None else (u >= U_HIGH).float().mean(),
        )

    def parameter_groups(self, weight_decay: float, decay_omega: bool = False) -> list[dict[str, Any]]:
        """Return two groups for AdamW: matrices, decayed; embeddings, norms, biases and omega_0, not decayed.

        Args:
            weight_decay: of the first group.
            decay_omega: decay omega_0 too, as the published v3 did: R then climbs with no data at all.
        """
        decayed: list[nn.Parameter] = []
        kept: list[nn.Parameter] = []
        for name, parameter in self.named_parameters():
            leaf = name.rsplit(".", 1)[-1]
            matrix = parameter.dim() >= 2 and not name.startswith("embedding.")
            chosen = matrix or (decay_omega and leaf == "omega")
            (decayed if chosen else kept).append(parameter)
        return [{"params": decayed, "weight_decay": weight_decay}, {"params": kept, "weight_decay": 0.0}]

    def parameter_count(self) -> int:
        """Return the number of trained scalars, tied ones once."""
        return sum(parameter.numel() for parameter in self.parameters())


class FeedForward(nn.Module):
    """The position-wise part of a block: `dim -> ffn * dim -> dim` with a GELU between."""

    def __init__(self, config: ModelConfig) -> None:
        super().__init__()
        inner = round(config.dim * config.ffn)
        self.rise = nn.Linear(config.dim, inner)
        self.fall = nn.Linear(inner, config.dim)
        self.gelu = "none" if config.gelu == "exact" else "tanh"
        initialise_linear(self.rise, config.dim**-0.5)
        initialise_linear(self.fall, (2 * config.layers * inner) ** -0.5)

    def forward(self, stream: Tensor) -> Tensor:
        """Return `[..., D]` of a normalised stream `[..., D]`."""
        out: Tensor = self.fall(gelu(self.rise(stream), approximate=self.gelu))
        return out


def initialise_linear(module: nn.Linear, std: float) -> None:
    """Draw weights from N(0, std^2) and clear the bias."""
    nn.init.normal_(module.weight, std=std)
    if module.bias is not None:
        nn.init.zeros_(module.bias)


def without_order(hidden: Tensor) -> Features:
    """Return the features of a model that has no oscillators: zero layers of R and coherence, no penalty."""
    none = hidden.new_zeros((*hidden.shape[:2], 0), dtype=torch.float32)
    return Features(hidden, none, none, None, torch.zeros((), device=hidden.device))


def parted(tokens: Tensor) -> tuple[Tensor, Tensor | None]:
    """Return the ids `[B, T]` of `tokens`, and which of them begin a document, bool `[B, T]`.

    Tokens are ids `[B, T]`, which do not tell it (None), or pairs `[B, T, 2]`: an id, and 1 where one begins.
    """
    return (tokens, None) if tokens.dim() == 2 else (tokens[..., 0], tokens[..., 1] != 0)


def kept(begins: Tensor | None) -> Tensor | None:
    """Return what of a state is kept at each token, float32 `[B, T, 1]`: nothing where a document begins."""
    return None if begins is None else (~begins).float().unsqueeze(-1)


def stack_layers(columns: Sequence[Tensor]) -> Tensor:
    """Return `[B, T, layers]` of one `[B, T]` a layer."""
    return torch.stack(list(columns), dim=-1)
