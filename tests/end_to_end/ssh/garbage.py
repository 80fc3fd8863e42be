"""Log bytes as bad as they come, the same for the same seed; run as a script, it prints them.

A 10 MB line without an end, NULs, characters cut in two, escape sequences, carriage returns, bidi marks,
invalid UTF-8, and ordinary lines in between.
"""

import random
import sys
from collections.abc import Iterator

LONG_LINE = 10_000_000
CUT = "日本語 ☃ 𝔖".encode()
KINDS = (
    lambda rng: b"step %d loss %.4f\n" % (rng.randrange(10**6), rng.random()),
    lambda rng: b"\0" * rng.randrange(1, 400) + b"\n",
    lambda rng: CUT[: rng.randrange(1, len(CUT))],
    lambda rng: b"\x1b]0;owned\x07\x1b[2J\x1b[31m\x9b1m" + b"\x1bP$q\x1b\\",
    lambda rng: b"\r50%%\r%d%%" % rng.randrange(100),
    lambda rng: "\u202eevil\u2066\u200b\ufeff".encode() + b"\n",
    lambda rng: rng.randbytes(rng.randrange(1, 3000)),
    lambda rng: b'{"event":"bytes","stream":1,"n":99}\n',
    lambda rng: b"\n" * rng.randrange(1, 50),
)


def garbage(seed: int, size: int, *, long_line: bool = True) -> Iterator[bytes]:
    """About `size` bytes in pieces; the long line comes after a tenth of them."""
    rng = random.Random(seed)
    made = 0
    while made < size:
        piece = rng.choice(KINDS)(rng)
        if rng.random() < 0.2:
            piece *= rng.randrange(1, 200)
        if long_line and made > size // 10:
            piece, long_line = b"x" * min(LONG_LINE, size) + b"\n", False
        made += len(piece)
        yield piece


def main() -> None:
    """`python -m tests.end_to_end.ssh.garbage SEED SIZE`: print it."""
    for piece in garbage(int(sys.argv[1]), int(sys.argv[2])):
        sys.stdout.buffer.write(piece)
    sys.stdout.buffer.flush()


if __name__ == "__main__":
    main()
