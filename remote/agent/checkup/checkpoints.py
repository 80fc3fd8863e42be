"""Checkpoints that do not prove themselves: by names and sizes, or byte by byte."""

import stat
from collections.abc import Iterator
from pathlib import Path

from remote.agent.context import Context
from remote.protocol.finding import Finding
from trainer.run.checkpoints.manifest import CheckpointInfo, list_checkpoints, verify
from trainer.run.run_errors import CheckpointError


def check(ctx: Context, deep: bool) -> Iterator[Finding]:
    """Findings about every checkpoint. `deep` hashes each file, which reads gigabytes."""
    for run in ctx.home.runs():
        found = list_checkpoints(run.checkpoints)
        troubles = {info.name: why for info in found if (why := trouble(info, deep))}
        sound = [info for info in found if info.name not in troubles]
        for name, why in troubles.items():
            yield Finding(
                level="warning" if sound else "problem",
                about=run.run_id,
                what=f"checkpoint {name} of {run.run_id} is not whole: {why}",
                why=f"a resume takes {sound[-1].name} instead" if sound else "no resume is possible from it",
                remedy=f"photinus doctor --deep, then remove it: rm -r {run.checkpoints / name}",
            )


def trouble(info: CheckpointInfo, deep: bool) -> str:
    """Why a checkpoint cannot be trusted; empty where nothing is seen to be wrong."""
    if info.manifest is None:
        return "its manifest is missing or cannot be read"
    if deep:
        try:
            verify(info.path)
        except CheckpointError as error:
            return str(error)
        return ""
    for name, proof in info.manifest.files.items():
        if Path(name).name != name:
            return f"{name!r} is no plain file name"
        try:
            found = (info.path / name).lstat()
        except OSError:
            return f"{name} is missing"
        if not stat.S_ISREG(found.st_mode):
            return f"{name} is no plain file"
        size = found.st_size
        if size != proof.bytes:
            return f"{name} has {size} bytes, not {proof.bytes}"
    return ""
