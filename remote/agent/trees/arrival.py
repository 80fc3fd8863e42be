"""A run that comes from another host: it is among the runs at once and whole, and archived."""

import time
from pathlib import Path

from remote.agent.context import Context
from remote.agent.kept.gone import forget_moved, trashed
from remote.protocol.errors import CallError
from trainer.run.disk.atomic import fsync_folder, read_json, write_json
from trainer.run.layout import RunDir
from trainer.run.records import read_spec, read_state
from trainer.run.run_errors import RunError

ARRIVED = "arrived.json"


def is_here(ctx: Context, run_id: str, sha256: str) -> bool:
    """Whether that very copy arrived; it may have gone on since.

    Raises:
        CallError: `refused`: another run of that id is here, or lies in the trash.
        SpecError: that is no run id.
    """
    run = ctx.home.run(run_id)
    if trashed(ctx.home, run_id).path.exists():
        raise CallError(
            "refused",
            f"there is a run {run_id} in the trash of that host",
            f"photinus rm --purge {run_id} there",
        )
    if not run.spec.exists() and not run.state.exists():
        return False
    try:
        raw = read_json(run.path / ARRIVED)
    except RunError:
        raw = None
    if isinstance(raw, dict) and raw.get("sha256") == sha256:
        return True
    raise CallError(
        "refused", f"there is a run {run_id} on that host already", f"photinus show {run_id} there"
    )


def take_in(ctx: Context, run_id: str, sha256: str, tree: Path) -> Path:
    """Give a copy its place among the runs.

    Raises:
        CallError: `refused`: it is no run that is over, or one of that id came meanwhile.
    """
    came, run = RunDir(tree), ctx.home.run(run_id)
    try:
        state, spec = read_state(came), read_spec(came)
    except RunError as error:
        raise CallError("refused", f"what came is no run: {error}", "look at it where it is") from error
    if state is None or not state.is_terminal or {state.run_id, spec.run_id} != {run_id}:
        raise CallError("refused", f"what came is not {run_id}, or not over", "stop it where it is")
    with ctx.critical():
        if not is_here(ctx, run_id, sha256):
            write_json(tree / ARRIVED, {"sha256": sha256, "at": time.time()})
            came.create()
            if run.path.exists():  # empty folders of a start that was refused
                run.path.rename(tree.with_name("was"))
            tree.rename(run.path)
            fsync_folder(run.path.parent)
            forget_moved(ctx.home, run_id)
    ctx.index.look(run_id)
    return run.path
