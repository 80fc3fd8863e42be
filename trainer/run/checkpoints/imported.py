"""Checkpoints of other runs that a run may begin from: of a run on this host, or brought here by `push`."""

import re
from pathlib import Path

from trainer.run.checkpoints.manifest import NAME
from trainer.run.run_errors import SpecError

SEEDS = "seeds"
ORIGIN = re.compile(r"[a-z0-9][a-z0-9._-]{0,95}")


def seed_path(root: Path, origin: str, name: str) -> Path:
    """Where a pushed checkpoint lies below a state root. It looks like a run's, so that it names its parent.

    Raises:
        SpecError: a name that must not touch a path.
    """
    if not ORIGIN.fullmatch(origin) or not NAME.fullmatch(name):
        raise SpecError(f"not a checkpoint: {f'{origin}/{name}'!r} (RUN/step-NNNNNNNN)")
    return root / SEEDS / origin / "checkpoints" / name


def locate_parent(root: Path, parent: str) -> Path:
    """The checkpoint that `RUN/step-NNNNNNNN` names: of a run on this host if it has it, else a pushed one.

    It need not exist.

    Raises:
        SpecError: a name that must not touch a path.
    """
    origin, _, name = parent.partition("/")
    seed = seed_path(root, origin, name)
    own = root / "runs" / origin / "checkpoints" / name
    return own if own.is_dir() else seed
