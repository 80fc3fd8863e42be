"""Made-up English-like text of any length, the same for the same seed."""

import random

TEXT = """
the a of and to in is that it was for on are with as his they be at one have this from or had by hot
word but what some we can out other were all there when up use your how said an each she which do
their time if will way about many then them write would like so these her long make thing see him
two has look more day could go come
"""
WORDS = TEXT.split()


def paragraph(rng: random.Random) -> str:
    """One paragraph of four to nine sentences."""
    return " ".join(
        " ".join(rng.choice(WORDS) for _ in range(rng.randint(5, 14))).capitalize() + "."
        for _ in range(rng.randint(4, 9))
    )


def prose(size: int, seed: int = 0) -> str:
    """At least `size` characters in paragraphs."""
    rng = random.Random(seed)
    parts: list[str] = []
    while sum(map(len, parts)) < size:
        parts.append(paragraph(rng))
    return "\n\n".join(parts)
