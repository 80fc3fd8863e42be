"""A small mutator: bytes, JSON values, lines; what it makes begins as something sound."""

import json
import random
from collections.abc import Callable, Sequence

WORDS = (
    b"\x1b]52;c;eA==\x1b\\", b"\x9b31m", b"\x00", b"\xff\xfe", b"\r\n", b"\n", b'"', b"{", b"[" * 4000,
    b"null", b"1e999", b"-1", b"NaN", b"1" + b"0" * 400, b"9" * 5000, b"true", b'"\\ud800"',
    b"../../etc/passwd",
    "\u202e\u2066\U000e0041".encode(), b"&a [*a]", b"*a", b"!!python/object:os.system", b"1_" * 900,
    b"x" * 70_000,
)  # fmt: skip
VALUES: tuple[object, ...] = (
    None, True, -1, 0, 1 << 63, 1 << 70, 10**400, 0.5, 1e308, "", "x" * 5000, "\x1b[2J", "\ud800", [], {},
    [[]], {"a": {}},
)  # fmt: skip


def mutated(seeds: Sequence[bytes], rng: random.Random) -> bytes:
    """One input: a seed, changed once to four times."""
    data = rng.choice(seeds)
    for _ in range(rng.randrange(1, 5)):
        data = rng.choice(WAYS)(data, rng) if rng.random() < 0.95 else _spliced(data, rng.choice(seeds), rng)
    return data[: 1 << 20]


def _spliced(data: bytes, other: bytes, rng: random.Random) -> bytes:
    return data[: rng.randrange(len(data) + 1)] + other[rng.randrange(len(other) + 1) :]


def _flipped(data: bytes, rng: random.Random) -> bytes:
    changed = bytearray(data or b"x")
    for _ in range(rng.randrange(1, 9)):
        changed[rng.randrange(len(changed))] = rng.randrange(256)
    return bytes(changed)


def _cut(data: bytes, rng: random.Random) -> bytes:
    start, end = sorted(rng.randrange(len(data) + 1) for _ in range(2))
    return data[:start] + data[end:]


def _inserted(data: bytes, rng: random.Random) -> bytes:
    at = rng.randrange(len(data) + 1)
    return data[:at] + rng.choice(WORDS) + data[at:]


def _repeated(data: bytes, rng: random.Random) -> bytes:
    lines = data.split(b"\n")
    at = rng.randrange(len(lines))
    return b"\n".join([*lines[:at], *[lines[at]] * rng.randrange(2, 40), *lines[at:]])


def _twisted_line(data: bytes, rng: random.Random) -> bytes:
    """One value of one line of JSON becomes another kind of value."""
    lines = data.split(b"\n")
    at = rng.randrange(len(lines))
    try:
        lines[at] = json.dumps(_twisted(json.loads(lines[at]), rng)).encode()
    except (ValueError, RecursionError):
        return _inserted(data, rng)
    return b"\n".join(lines)


def _twisted(value: object, rng: random.Random) -> object:
    if isinstance(value, dict) and value and rng.random() < 0.9:
        key = rng.choice(sorted(value))
        if rng.random() < 0.1:
            return {name: one for name, one in value.items() if name != key}
        return {**value, key: _twisted(value[key], rng)}
    if isinstance(value, list) and value and rng.random() < 0.8:
        at = rng.randrange(len(value))
        return [*value[:at], _twisted(value[at], rng), *value[at + 1 :]]
    return rng.choice(VALUES)


WAYS: tuple[Callable[[bytes, random.Random], bytes], ...] = (
    _flipped, _cut, _inserted, _repeated, _twisted_line, _twisted_line, _twisted_line,
)  # fmt: skip
