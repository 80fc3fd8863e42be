"""Checkpoints that a retention let go, for a while: moved whole, brought back whole."""

import re
import shutil
import time
from collections.abc import Collection, Iterable
from dataclasses import dataclass
from pathlib import Path

from trainer.run.checkpoints.manifest import NAME, list_checkpoints
from trainer.run.disk.atomic import fsync_folder
from trainer.run.layout import RunDir
from trainer.run.run_errors import CheckpointError

TRASH = "trash"
TRASH_DAYS = 7
"""How long what was removed stays, counted from when it was moved there."""
RETAINED = re.compile(r"retained-([0-9a-f]{1,20})")


@dataclass(frozen=True, slots=True)
class TrashedCheckpoint:
    """A checkpoint in the trash: where it lies, since when (Unix seconds) and how large its files are."""

    path: Path
    at: float
    bytes: int

    @property
    def name(self) -> str:
        """`step-NNNNNNNN`."""
        return self.path.name


def trash_checkpoints(run: RunDir, names: Collection[str], now: float | None = None) -> None:
    """Move checkpoints to the trash, each by one rename. The caller holds the lock of `pins`.

    Raises:
        OSError: the disk refused.
    """
    if not names:
        return
    stamp = time.time_ns() if now is None else int(now * 1e9)
    folder = run.path / TRASH / f"retained-{stamp:x}"
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    for name in names:
        (run.checkpoints / name).rename(folder / name)
    fsync_folder(run.checkpoints)


def trashed_checkpoints(run: RunDir) -> list[TrashedCheckpoint]:
    """Return what a retention let go and is there still, the newest removal first."""
    found = []
    for folder in (run.path / TRASH).glob("retained-*"):
        match = RETAINED.fullmatch(folder.name)
        if match and folder.is_dir() and not folder.is_symlink():
            at = int(match[1], 16) / 1e9
            found += [TrashedCheckpoint(info.path, at, _size(info.path)) for info in list_checkpoints(folder)]
    return sorted(found, key=lambda one: (-one.at, one.name))


def trashed_names(run: RunDir, most: int) -> list[str]:
    """Return the names alone, the newest removal first; no manifest is read for them."""
    found: list[tuple[int, str]] = []
    for folder in (run.path / TRASH).glob("retained-*"):
        match = RETAINED.fullmatch(folder.name)
        if match and folder.is_dir() and not folder.is_symlink():
            found += [
                (-int(match[1], 16), path.name) for path in folder.iterdir() if NAME.fullmatch(path.name)
            ]
    return [name for _, name in sorted(found)][:most]


def bring_back(run: RunDir, names: Iterable[str] = ()) -> list[str]:
    """Undo the last retention, or bring back the named ones; return the names. The caller holds the lock.

    Raises:
        CheckpointError: a name is not in the trash, or is taken again by a checkpoint.
    """
    there = trashed_checkpoints(run)
    wanted = list(names) or [one.name for one in there if one.at == there[0].at]
    chosen = []
    for name in wanted:
        one = next((one for one in there if one.name == name), None)
        if one is None or not NAME.fullmatch(name):
            listed = ", ".join(sorted({one.name for one in there})) or "nothing"
            raise CheckpointError(f"{name} is not in the trash of {run.run_id}; there is {listed}")
        if (run.checkpoints / name).exists():
            raise CheckpointError(f"{run.run_id} has a checkpoint {name} already; it was left as it is")
        chosen.append(one)
    for one in chosen:
        one.path.rename(run.checkpoints / one.name)
    fsync_folder(run.checkpoints)
    return [one.name for one in chosen]


def shrink_trash(run: RunDir, max_bytes: int, now: float | None = None) -> list[str]:
    """Remove for good what lies there for more than `TRASH_DAYS`, and the oldest above `max_bytes`."""
    oldest = (time.time() if now is None else now) - TRASH_DAYS * 86400
    total, gone = 0, []
    for one in trashed_checkpoints(run):
        total += one.bytes
        if one.at < oldest or total > max_bytes:
            shutil.rmtree(one.path, ignore_errors=True)
            gone.append(one.name)
            if not any(one.path.parent.iterdir()):
                one.path.parent.rmdir()
    return gone


def _size(path: Path) -> int:
    return sum(file.lstat().st_size for file in path.iterdir())
