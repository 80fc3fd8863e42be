"""Shipped code that nobody needs any more: every run has its own copy, so only the newest trees stay."""

import os
import re
import shutil

from remote.agent.background import in_thread
from remote.agent.context import Context
from remote.agent.kept.gone import GOING
from remote.agent.verb import Work
from trainer.run.disk.tree_copies import TreePlace
from trainer.run.records import read_spec
from trainer.run.run_errors import RunError

KEPT = 32
HASH = re.compile(r"[0-9a-f]{64}")


def used_now(place: TreePlace) -> None:
    """A tree that is asked for is a new one, however long it lies there."""
    os.utime(place.path)


def clear_old_code(ctx: Context) -> Work[None]:
    """Remove all but the newest trees, and those that a run which waits or begins will be copied from."""
    folder = ctx.home.root / "code"
    found = [path for path in folder.iterdir() if HASH.fullmatch(path.name)]
    if len(found) > KEPT:
        with ctx.critical():
            needed = _needed(ctx)
            for path in sorted(found, key=lambda path: -path.stat().st_mtime)[KEPT:]:
                if path.name not in needed:
                    _take_away(TreePlace(folder, path.name))
    for path in folder.glob(f"{GOING}*"):
        yield from in_thread(lambda path=path: shutil.rmtree(path, ignore_errors=True))  # type: ignore[misc]


def _needed(ctx: Context) -> set[str]:
    found = set()
    for run in ctx.index.live:
        try:
            code = read_spec(run).code
        except (RunError, OSError):
            continue
        if code and not run.code.is_dir():
            found.add(str(code["sha256"]))
    return found


def _take_away(place: TreePlace) -> None:
    away = place.folder / f"{GOING}{place.name}-{os.urandom(4).hex()}"
    place.path.rename(away)
    place.record.unlink(missing_ok=True)
