"""Which runs that are over have a process that still lives: asked of what lives, not of the history."""

from collections.abc import Iterable
from pathlib import Path

from remote.agent.context import Context
from remote.protocol.views import RunView
from remote.supervisor.process.command_line import named
from trainer.run.home import Home
from trainer.run.locks import is_free
from trainer.run.process.survivors import folder_in, survivors
from trainer.run.process.system_kernel import system_reader
from trainer.run.run_errors import RunError

PROBED = 100  # of the runs that ended last the lock is tried, too: whoever holds it may hide its environment
SHOWN = 5


def outlived(ctx: Context, rows: Iterable[RunView]) -> dict[str, list[str]]:
    """Of these runs, those that are over and left processes behind: `pid N (its command)`, the first five."""
    over = [view.run_id for view in rows if view.is_terminal]
    if not over:
        return {}
    held = {run_id for run_id in over[:PROBED] if _is_held(ctx.home.run(run_id).trainer_lock)}
    found = {}
    for run_id in sorted(held | _named(ctx.home).intersection(over)):
        if names := _left(ctx, run_id):
            found[run_id] = names
    return found


def _left(ctx: Context, run_id: str) -> list[str]:
    run = ctx.home.run(run_id)
    try:
        if _is_held(run.lock):
            return []  # it goes on again, or its supervisor is about to clear them
        return [named(one.pid) for one in survivors(run, ctx.views.process(run))[:SHOWN]]
    except (RunError, OSError):
        return []  # its records cannot be read: that is told elsewhere


def _is_held(lock: Path) -> bool:
    """Whether it is; what is no lock file (a link, a folder) is held by nobody, and the doctor's to tell."""
    try:
        return not is_free(lock)
    except OSError:
        return False


def _named(home: Home) -> set[str]:
    """The runs of this home that the environments of live processes name."""
    reader = system_reader()
    found: dict[Path, None] = {}
    for pid in reader.pids():
        if folder := folder_in(reader.environ(pid).split(b"\0")):
            found[folder] = None
    return {folder.name for folder in found if _is_in(folder, home)}


def _is_in(folder: Path, home: Home) -> bool:
    try:
        return folder.parent.samefile(home.runs_dir)
    except OSError:
        return False
