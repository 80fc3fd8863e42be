"""Which checkpoint to continue from, proven byte by byte. No torch here."""

from collections.abc import Callable
from pathlib import Path

from trainer.config.config_error import ConfigError
from trainer.job.job import Origin
from trainer.run.checkpoints.manifest import (
    MANIFEST,
    NAME,
    best_valid,
    list_checkpoints,
    manifest_sha256,
    newest_valid,
    verify,
)
from trainer.run.layout import RunDir
from trainer.run.run_errors import CheckpointError

NEWEST = "newest"
POLICIES = (NEWEST, "latest", "best")
"""Sources that choose by themselves: the newest, under two names, and the best by the primary metric."""


def demand_origin(run: RunDir, source: str) -> None:
    """Refuse a `source` that names no checkpoint at all, before anything is begun.

    Raises:
        ConfigError: naming what is there instead.
    """
    if source in POLICIES:
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
    """Return the checkpoint that `source` names; None if it is a policy and there is no valid one.

    Args:
        source: `newest` (`latest`), `best`, a folder name in the run's checkpoints, or a path to another's.
        talk: hears why newer checkpoints were passed over.

    Raises:
        CheckpointError: the named one is missing, torn or changed; or none is best, as none was scored.
    """
    if source in POLICIES:
        choose = best_valid if source == "best" else newest_valid
        found = choose(run.checkpoints, talk)
        path = found.path if found else None
        if path is None and source == "best" and list_checkpoints(run.checkpoints):
            raise CheckpointError(
                "no checkpoint was scored, so none is the best; continue with --from latest"
            )
    else:
        path = run.checkpoints / source if NAME.fullmatch(source) else Path(source).expanduser().absolute()
    if path is None:
        return None
    manifest = verify(path)
    own = path.parent == run.checkpoints
    parent = path.name if own else f"{path.parent.parent.name}/{path.name}"
    return Origin(path, manifest, manifest_sha256(path), parent)
