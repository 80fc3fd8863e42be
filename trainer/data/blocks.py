"""Documents to blocks: the unit that goes to train or to validation as a whole."""

import hashlib
import re
from collections.abc import Iterator

SMALLEST_LIMIT = 2 << 10
BLOCKS_WANTED = 256
FEWEST_BLOCKS = 16
SEPARATOR = b"\n\n"

_PARAGRAPH_END = re.compile(rb"\n{2,}")
_LINE_END = re.compile(rb"\n")
_SENTENCE_END = re.compile(rb"[.!?][\"')\]]* ")


def block_limit(total_bytes: int, largest: int) -> int:
    """Longest block in bytes: `largest`, or less where the text is short, so that some 256 blocks come of it
    (16 of a few KiB).

    With 64 KiB blocks a single book would make a handful, and validation would be none or a third of it.
    """
    smallest = min(SMALLEST_LIMIT, max(1, total_bytes // FEWEST_BLOCKS))
    return min(largest, max(smallest, total_bytes // BLOCKS_WANTED))


def cut(document: bytes, limit: int) -> Iterator[bytes]:
    """Blocks of at most `limit` bytes that join to `document` but for the blank lines between them.

    Cut after a paragraph where one ends in the last half of the block, else after a line, a sentence, a word,
    and only then between two characters.
    """
    begin = 0
    while len(document) - begin > limit:
        end = _cut_point(document, begin, begin + limit)
        if block := document[begin:end].strip(b"\n"):
            yield block
        begin = end
    if block := document[begin:].strip(b"\n"):
        yield block


def _cut_point(document: bytes, begin: int, end: int) -> int:
    half = begin + (end - begin) // 2
    for pattern in (_PARAGRAPH_END, _LINE_END, _SENTENCE_END):
        ends = [match.end() for match in pattern.finditer(document, half, end)]
        if ends:
            return ends[-1]
    space = document.rfind(b" ", half, end)
    if space >= 0:
        return space + 1
    while end > half and document[end] & 0xC0 == 0x80:  # never inside a UTF-8 character
        end -= 1
    return end


def block_key(block: bytes) -> bytes:
    """16 bytes that stand for the content: the same text has the same key wherever it lies."""
    return hashlib.blake2b(block, digest_size=16, person=b"photinus-split").digest()


def choose_validation(sizes: dict[bytes, int], fraction: float) -> list[bytes]:
    """Keys of the validation blocks, in key order: the lowest keys, until they hold `fraction` of the bytes.

    Position never enters, so renaming or reordering files moves nothing from one side to the other, and one
    more document moves the boundary a little. Both sides get at least one block.

    Args:
        sizes: Bytes of every distinct block by its key; at least two.
        fraction: Share of all bytes wanted, 0..1.
    """
    wanted = fraction * sum(sizes.values())
    chosen: list[bytes] = []
    held = 0
    for key in sorted(sizes)[: len(sizes) - 1]:
        if chosen and held + sizes[key] / 2 > wanted:
            break
        chosen.append(key)
        held += sizes[key]
    return chosen
