"""A tiny model, trained for a few steps, for whatever asks a trained model."""

import os
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from tests.trainer.loop.tiny import run, write_text


@contextmanager
def state_root(path: Path) -> Iterator[None]:
    """Have `PHOTINUS_HOME` be `path`, where the token cache lives."""
    before = os.environ.get("PHOTINUS_HOME")
    os.environ["PHOTINUS_HOME"] = str(path)
    try:
        yield
    finally:
        if before is None:
            del os.environ["PHOTINUS_HOME"]
        else:
            os.environ["PHOTINUS_HOME"] = before


def train(folder: Path, sets: Sequence[str] = ()) -> Path:
    """Train a tiny kssm-v3 for a few steps on a text of many held-out documents; return the run's folder."""
    text = write_text(folder / "text.txt", sentences=3000)
    given = ("data.val_fraction=0.5", "data.block_kib=1", "steps=6", "checkpoint.every=6", *sets)
    assert run(folder / "run", text, sets=given) == 0
    return folder / "run"
