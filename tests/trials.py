"""How often a trial is repeated: a sample in the suite, the full count under `make chaos`."""

import os


def trials(sample: int, full: int) -> int:
    """`sample`, or `full` where PHOTINUS_TRIALS=full."""
    return full if os.environ.get("PHOTINUS_TRIALS") == "full" else sample
