"""Which runs that are over have a process that still lives: asked of what lives, not of the history."""

import contextlib
import os
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from remote.agent.context import Context
from remote.protocol.views import RunView
from remote.supervisor.process.command_line import named
from trainer.run.home import Home
from trainer.run.locks import is_free
from trainer.run.process.process_record import TOKEN_VARIABLE
from trainer.run.process.survivors import folder_in, survivors
from trainer.run.process.system_kernel import system_reader
from trainer.run.run_errors import RunError

PROBED = 100  # of the runs that ended last the lock is tried, too: whoever holds it may hide its environment
SHOWN = 5
TOKEN = f"{TOKEN_VARIABLE}=".encode()


def outlived(ctx: Context, rows: Iterable[RunView]) -> dict[str, list[str]]:
    """Of these runs, those that are over and left processes behind: `pid N (its command)`, the first five."""
    over = [view.run_id for view in rows if view.is_terminal]
    if not over:
        return {}
    held = {run_id for run_id in over[:PROBED] if _is_held(ctx.home.run(run_id).trainer_lock)}
    found = {}
    seen = touched(ctx.home)
    for run_id in sorted(held | (seen.names if seen else set()).intersection(over)):
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


@dataclass(frozen=True, slots=True)
class Touched:
    """What live processes have to do with. `names`: runs; `tokens`: of those that do not say of which run."""

    names: set[str]
    tokens: set[str]


def touched(home: Home, proc: Path = Path("/proc")) -> Touched | None:
    """The runs of this home that live processes name in their environments, or whose lock they have open.

    Found by what lives, however many runs are over; None where the kernel shows no open files (macOS).
    """
    if not proc.is_dir():
        return None
    reader, folders, tokens = system_reader(), set[Path](), set[str]()
    for pid in reader.pids():
        variables = reader.environ(pid).split(b"\0")
        if folder := folder_in(variables):
            folders.add(folder)
        else:
            tokens.update(
                one[len(TOKEN) :].decode("ascii", "replace") for one in variables if one.startswith(TOKEN)
            )
        folders.update(_of_open_locks(proc / str(pid) / "fd"))
    return Touched({folder.name for folder in folders if _is_in(folder, home)}, tokens)


def _of_open_locks(descriptors: Path) -> Iterator[Path]:
    try:
        names = os.listdir(descriptors)  # noqa: PTH208
    except OSError:
        return
    for name in names:
        with contextlib.suppress(OSError):
            path = os.readlink(f"{descriptors}/{name}")  # noqa: PTH115
            if path.endswith("/trainer.lock"):
                yield Path(path).parent


def _is_in(folder: Path, home: Home) -> bool:
    try:
        return folder.parent.samefile(home.runs_dir)
    except OSError:
        return False
