"""Which checkpoint to continue from, proven byte by byte. No torch here."""

from collections.abc import Callable
from pathlib import Path

from trainer.config.config_error import ConfigError
from trainer.job.job import Origin
from trainer.run.checkpoints.manifest import (
    MANIFEST,
    NAME,
    list_checkpoints,
    manifest_sha256,
    newest_valid,
    verify,
)
from trainer.run.layout import RunDir

NEWEST = "newest"


def demand_origin(run: RunDir, source: str) -> None:
    """Refuse a `source` that names no checkpoint at all, before anything is begun.

    Raises:
        ConfigError: naming what is there instead.
    """
    if source == NEWEST:
        return
    found = list_checkpoints(run.checkpoints)
    if NAME.fullmatch(source):
        if not (run.checkpoints / source).is_dir():
            there = f"the newest is {found[-1].name}" if found else "there is none; leave --from out"
            raise ConfigError(f"--from {source}: {run.path} has no such checkpoint; {there}")
        return
    path = Path(source).expanduser().absolute()
    if (path / MANIFEST).is_file():
        return
    inner = [*list_checkpoints(path), *list_checkpoints(path / "checkpoints")]
    what = "is not there" if not path.exists() else "is no checkpoint"
    remedy = f"did you mean {inner[-1].path}?" if inner else "name a step-NNNNNNNN folder of a run"
    raise ConfigError(f"--from {source}: {path} {what}; {remedy}")


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
