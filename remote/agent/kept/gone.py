"""Runs that left `runs/`: into the trash, or to another place; and what is said to who asks for one."""

import contextlib
import shutil
import time
from collections.abc import Generator
from dataclasses import asdict, dataclass
from pathlib import Path

from remote.agent.background import in_thread
from remote.protocol.errors import CallError
from remote.protocol.sanitise import clean_line
from trainer.run.disk.atomic import read_json, write_json
from trainer.run.home import Home
from trainer.run.layout import RUN_ID, RunDir, check_run_id
from trainer.run.run_errors import RunError

PLACE_MAX = 4096
GOING = ".going-"


@dataclass(frozen=True, slots=True, kw_only=True)
class MovedRun:
    """`moved/<run_id>.json`: where a run went. `to`: a folder of this host, or `HOST:RUN`."""

    run_id: str
    to: str
    name: str = ""
    by: str = ""
    at: float = 0.0


def trash_folder(home: Home) -> Path:
    """Where removed runs wait to be removed for good."""
    return home.root / "trash"


def trashed(home: Home, run_id: str) -> RunDir:
    """The folder of a run in the trash, which need not exist.

    Raises:
        SpecError: that is no run id.
    """
    return RunDir(trash_folder(home) / check_run_id(run_id))


def note_moved(home: Home, moved: MovedRun) -> None:
    """Say where a run goes, before it leaves."""
    folder = home.root / "moved"
    folder.mkdir(mode=0o700, exist_ok=True)
    write_json(folder / f"{check_run_id(moved.run_id)}.json", asdict(moved) | {"at": time.time()})


def read_moved(home: Home, run_id: str) -> MovedRun | None:
    """Where a run went; None where nothing sound says so."""
    if not RUN_ID.fullmatch(run_id):
        return None
    try:
        raw = read_json(home.root / "moved" / f"{run_id}.json")
    except (RunError, OSError):
        return None
    to = raw.get("to") if isinstance(raw, dict) else None
    if not isinstance(raw, dict) or not isinstance(to, str) or not 0 < len(to) <= PLACE_MAX:
        return None
    return MovedRun(run_id=run_id, to=clean_line(to), name=str(raw.get("name", ""))[:200])


def forget_moved(home: Home, run_id: str) -> None:
    """It is here again."""
    (home.root / "moved" / f"{check_run_id(run_id)}.json").unlink(missing_ok=True)


def clear_going(home: Home) -> Generator[None, None, None]:
    """Remove what left `runs/` or the trash for good, where the agent that removed it died over that."""
    for path in trash_folder(home).glob(f"{GOING}*"):
        yield from in_thread(lambda path=path: shutil.rmtree(path, ignore_errors=True))  # type: ignore[misc]


def demand_here(home: Home, typed: str) -> None:
    """Who asks for a run that was here is told where it is, by its id or by the name that it had.

    Raises:
        CallError: `not_found`.
    """
    with contextlib.suppress(OSError):
        if RUN_ID.fullmatch(typed) and trashed(home, typed).spec.exists():
            raise CallError("not_found", f"run {typed} is in the trash", f"photinus restore {typed}")
    moved = read_moved(home, typed)
    if moved is None:
        ids = [path.stem for path in (home.root / "moved").glob("*.json")]
        moved = next((one for run_id in ids if (one := read_moved(home, run_id)) and one.name == typed), None)
    if moved is not None:
        where = (
            f"photinus show {moved.to}"
            if ":" in moved.to and moved.to[0] != "/"
            else (f"photinus restore {moved.run_id} brings it back")
        )
        raise CallError("not_found", f"run {moved.run_id} was moved to {moved.to}", where)
