"""Which checkpoint to continue from, proven byte by byte. No torch here."""

from collections.abc import Callable
from pathlib import Path

from trainer.job import Origin
from trainer.run.checkpoints import NAME, manifest_sha256, newest_valid, verify
from trainer.run.layout import RunDir

NEWEST = "newest"


def find_origin(run: RunDir, source: str, talk: Callable[[str], None]) -> Origin | None:
    """Return the checkpoint that `source` names; None if it is `newest` and there is no valid one.

    Args:
        source: `newest`, a folder name in the run's checkpoints, or a path to one of another run.
        talk: hears why newer checkpoints were passed over.

    Raises:
        CheckpointError: the named one is missing, torn or changed.
    """
    if source == NEWEST:
        found = newest_valid(run.checkpoints, talk)
        path = found.path if found else None
    else:
        path = run.checkpoints / source if NAME.fullmatch(source) else Path(source).expanduser().absolute()
    if path is None:
        return None
    manifest = verify(path)
    own = path.parent == run.checkpoints
    parent = path.name if own else f"{path.parent.parent.name}/{path.name}"
    return Origin(path, manifest, manifest_sha256(path), parent)
