"""Associative memories of one text: what a token binds to a key, a later one reads with that key.

`outer` holds sums of outer products of value and key (Kohonen 1972), read by their product with a query.
`hrr` holds sums of circular convolutions (holographic reduced representations, Plate 1995) in the Fourier
domain, where a convolution is a product of complex numbers; keys have modulus 1 there, so that their
conjugate undoes them. Both are zero at the start of a text, and sums, so all tokens of a text are worked at
once. float32 throughout.
"""

from collections.abc import Mapping
from typing import Protocol

import torch
from torch import Tensor
from torch.nn.functional import normalize, pad


class AssociativeMemory(Protocol):
    """What a block asks of either kind; W is the width of keys and values."""

    def start(self, batch: int, width: int, device: torch.device) -> Tensor:
        """Return the empty memory of `batch` texts."""

    def read_all(self, key: Tensor, value: Tensor, query: Tensor) -> Tensor:
        """Return what every token reads, of keys, values times strength and queries, `[B, T, W]` each."""

    def read_next(self, memory: Tensor, key: Tensor, value: Tensor, query: Tensor) -> tuple[Tensor, Tensor]:
        """Write one token `[B, W]`, then read; return what is read and the memory."""


CHUNK = 64
"""Tokens worked at once by `outer`: within them pairs are compared, across them a matrix is carried."""
SMALLEST = 1e-6


class OuterMemory:
    """`M_t = M_(t-1) + w_t v_t k_t^T`, read `M_t q_t`; keys and queries of length 1."""

    def start(self, batch: int, width: int, device: torch.device) -> Tensor:
        """Return an empty memory `[B, W, W]`."""
        return torch.zeros(batch, width, width, device=device)

    def read_all(self, key: Tensor, value: Tensor, query: Tensor) -> Tensor:
        """See `AssociativeMemory`."""
        tokens = key.shape[1]
        chunk = min(CHUNK, tokens)
        key, query = normalize(key, dim=-1, eps=SMALLEST), normalize(query, dim=-1, eps=SMALLEST)
        spare = -tokens % chunk
        key, value, query = (
            pad(one, (0, 0, 0, spare)).view(len(one), -1, chunk, one.shape[-1]) for one in (key, value, query)
        )
        within = (query @ key.transpose(-1, -2)).tril() @ value
        added = key.transpose(-1, -2) @ value
        before = pad(added.cumsum(1)[:, :-1], (0, 0, 0, 0, 1, 0))
        return (within + query @ before).flatten(1, 2)[:, :tokens]

    def read_next(self, memory: Tensor, key: Tensor, value: Tensor, query: Tensor) -> tuple[Tensor, Tensor]:
        """See `AssociativeMemory`."""
        key, query = normalize(key, dim=-1, eps=SMALLEST), normalize(query, dim=-1, eps=SMALLEST)
        memory = memory + key.unsqueeze(2) * value.unsqueeze(1)
        return (query.unsqueeze(1) @ memory).squeeze(1), memory


class HolographicMemory:
    """`M_t = M_(t-1) + w_t v_t * k_t`, read `M_t * conj(q_t)`, over W / 2 complex numbers."""

    def start(self, batch: int, width: int, device: torch.device) -> Tensor:
        """Return an empty memory `[B, 2, W / 2]`."""
        return torch.zeros(batch, 2, width // 2, device=device)

    def read_all(self, key: Tensor, value: Tensor, query: Tensor) -> Tensor:
        """See `AssociativeMemory`."""
        return _unbound(_bound(key, value).cumsum(1), query)

    def read_next(self, memory: Tensor, key: Tensor, value: Tensor, query: Tensor) -> tuple[Tensor, Tensor]:
        """See `AssociativeMemory`."""
        memory = memory + _bound(key, value)
        return _unbound(memory, query), memory


MEMORIES: Mapping[str, AssociativeMemory] = {"outer": OuterMemory(), "hrr": HolographicMemory()}
"""By the name that `model.memory` has."""


def _bound(key: Tensor, value: Tensor) -> Tensor:
    """Return the complex product `[..., 2, W / 2]` of a key of modulus 1 and a value, each `[..., W]`."""
    (a, b), (c, d) = _unitary(key).unbind(-2), _complex(value).unbind(-2)
    return torch.stack((a * c - b * d, a * d + b * c), dim=-2)


def _unbound(memory: Tensor, query: Tensor) -> Tensor:
    """Return the product `[..., W]` of a memory `[..., 2, W / 2]` and the conjugate of a query."""
    (a, b), (c, d) = _unitary(query).unbind(-2), memory.unbind(-2)
    return torch.cat((a * c + b * d, a * d - b * c), dim=-1)


def _unitary(key: Tensor) -> Tensor:
    """Return `[..., 2, W / 2]` of modulus 1."""
    return normalize(_complex(key), dim=-2, eps=SMALLEST)


def _complex(plain: Tensor) -> Tensor:
    """Return `[..., W]` as real and imaginary parts, `[..., 2, W / 2]`."""
    return plain.reshape(*plain.shape[:-1], 2, -1)
