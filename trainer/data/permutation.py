"""A shuffled order that is computed, not stored: where any position lies is known without the ones before it.

A Feistel network of four rounds over 2b bits is a bijection whatever its round function; values past the end
walk on along their cycle until they fall inside (cycle walking, Black and Rogaway 2002). Its domain is under
four times the size asked for, so a walk is short.
"""

import hashlib

import numpy as np
from numpy.typing import NDArray

ROUNDS = 4
_MIX = np.uint64(0x9E3779B97F4A7C15)

Words = NDArray[np.uint64]


def round_keys(*parts: int | str) -> Words:
    """uint64 [4] round keys from anything that names the order, such as seed and epoch."""
    digest = hashlib.blake2b("/".join(map(str, parts)).encode(), digest_size=8 * ROUNDS).digest()
    return np.frombuffer(digest, "<u8").astype(np.uint64)


def permute(positions: NDArray[np.int64], size: int, keys: Words) -> NDArray[np.int64]:
    """Images of `positions` under a permutation of 0..size-1.

    Args:
        positions: int64 [N], each in 0..size-1.
        size: Length of the order, at least 1 and below 2**62.
        keys: Round keys of `round_keys`.
    """
    half_bits = max(1, ((size - 1).bit_length() + 1) // 2)
    out = _feistel(positions.astype(np.uint64), half_bits, keys)
    outside = np.flatnonzero(out >= size)
    while len(outside):
        out[outside] = _feistel(out[outside], half_bits, keys)
        outside = outside[out[outside] >= size]
    return out.astype(np.int64)


def _feistel(values: Words, half_bits: int, keys: Words) -> Words:
    shift, mask = np.uint64(half_bits), np.uint64((1 << half_bits) - 1)
    left, right = values >> shift, values & mask
    for key in keys:
        mixed = (right + key) * _MIX
        mixed ^= mixed >> np.uint64(29)
        mixed *= _MIX
        left, right = right, left ^ ((mixed >> np.uint64(32)) & mask)
    return (left << shift) | right
