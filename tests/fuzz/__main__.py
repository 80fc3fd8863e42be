"""`python -m tests.fuzz [SECONDS [TARGET ...]]`: each target for so long; what breaks one is kept."""

import random
import sys
import time
import traceback
from pathlib import Path

from tests.fuzz.mutation import mutated
from tests.fuzz.targets import TARGETS, Target

SECONDS = 60.0


def hunt(target: Target, seconds: float, seed: int) -> tuple[int, int, bytes | None]:
    """Inputs tried, those that were taken, and the first that broke it."""
    rng, seeds, tried, taken = random.Random(seed), target.seeds, 0, 0
    until = time.monotonic() + seconds
    while time.monotonic() < until:
        data = mutated(seeds, rng)
        tried += 1
        try:
            taken += target.try_one(data)
        except Exception:
            traceback.print_exc()
            return tried, taken, data
    return tried, taken, None


def main(words: list[str]) -> int:
    seconds = float(words[0]) if words else SECONDS
    broken = 0
    for target in TARGETS:
        if words[1:] and target.name not in words[1:]:
            continue
        seed = random.randrange(1 << 32)
        tried, taken, found = hunt(target, seconds, seed)
        print(f"{target.name:14} {tried:>9,} tried {taken:>9,} taken  seed {seed}", flush=True)
        if found is not None:
            path = Path(f"fuzz-{target.name}-{seed}.bin").absolute()
            path.write_bytes(found)
            print(f"  broken by {path}: once it is mended, put it into tests/fuzz/seeds/{target.name}/")
            broken += 1
    return 1 if broken else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
