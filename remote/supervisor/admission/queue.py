"""Starts that wait for a device: first come, first served, a line for each device."""

import contextlib
import time

from remote.supervisor.admission.admit import Busy, carry_out, take_locks
from remote.supervisor.admission.waiting_line import Terms, Waiting, terms_of, waiting, why_kept
from trainer.run.disk.atomic import create_json, fsync_folder, read_json, write_json
from trainer.run.home import Home
from trainer.run.layout import RunDir
from trainer.run.locks import is_free
from trainer.run.process.process_record import read_process
from trainer.run.records import read_spec, read_state
from trainer.run.run_errors import RunError
from trainer.run.states import State, StateRecord


def enqueue(home: Home, run_id: str, *, held: bool = False, after: str = "") -> None:
    """Go to the end of the line, once. The caller holds agent.lock."""
    line = waiting(home)
    if any(entry.run_id == run_id for entry in line):
        return
    place = line[-1].place + 1 if line else 1
    more = ({"held": True} if held else {}) | ({"after": after} if after else {})
    create_json(home.queue_dir / f"{place:08d}-{run_id}.json", {"run_id": run_id, "at": time.time(), **more})


def change_terms(entry: Waiting, terms: Terms) -> None:
    """Hold an entry, let it go, or have it wait for a run. The caller holds agent.lock."""
    more = ({"held": True} if terms.held else {}) | ({"after": terms.after} if terms.after else {})
    write_json(entry.path, {"run_id": entry.run_id, "at": terms.at or time.time(), **more})


def move_to(home: Home, run_id: str, place: int) -> None:
    """Give a run another place in the line (1: the first). The caller holds agent.lock.

    From the back, so that who dies in between has left everybody but this run where he was.
    """
    line = waiting(home)
    numbers = [entry.place for entry in line]
    mine = next(entry for entry in line if entry.run_id == run_id)
    others = [entry for entry in line if entry.run_id != run_id]
    index = min(max(place, 1), len(line)) - 1
    ordered = [*others[:index], mine, *others[index:]]
    pairs = list(zip(numbers, ordered, strict=True))
    back_first = pairs[::-1] if index < line.index(mine) else pairs
    for number, entry in back_first:
        target = home.queue_dir / f"{number:08d}-{entry.run_id}.json"
        if entry.path != target:
            entry.path.rename(target)
    fsync_folder(home.queue_dir)


def leave(home: Home, run_id: str) -> None:
    """Leave the line. The caller holds agent.lock."""
    for entry in waiting(home):
        if entry.run_id == run_id:
            entry.path.unlink(missing_ok=True)


def start_next(home: Home) -> list[str]:
    """Start the first of each line whose device is free; the ids that were started.

    An ending supervisor calls this after it let its locks go; any contact of an agent does too.

    Raises:
        RunError: agent.lock hangs.
    """
    if not any(is_ours(home, entry) for entry in waiting(home)):
        return []
    started: list[str] = []
    with home.agent_section():
        held: set[str] = set()
        for entry in waiting(home):
            if not is_ours(home, entry) or why_kept(home, terms_of(entry)):
                continue
            with contextlib.suppress(RunError, OSError):  # a broken entry stays and holds up nobody
                if _start(home, home.run(entry.run_id), held):
                    started.append(entry.run_id)
                    leave(home, entry.run_id)
    return started


def is_ours(home: Home, entry: Waiting) -> bool:
    """Whether it was put in this line: what a copied home brought along waits in the original's.

    Where `host.json` is damaged, whose line this is cannot be told.
    """
    if home.damage:
        return False
    if not home.copied:
        return True
    try:
        raw = read_json(entry.path)
    except (RunError, OSError):
        return False
    at = raw.get("at") if isinstance(raw, dict) else None
    return isinstance(at, int | float) and at >= home.copied


def _start(home: Home, run: RunDir, held: set[str]) -> bool:
    """Start one entry unless its device is held or somebody before it waits for that; else False."""
    state = read_state(run)
    if state is None or not (state.state is State.QUEUED or _was_dropped(run, state)):
        leave(home, run.run_id)
        return False
    spec = read_spec(run)
    if held.intersection(spec.devices):
        return False
    held.update(spec.devices)
    locks = take_locks(home, run, spec)
    if isinstance(locks, Busy):
        return False
    carry_out(
        home,
        run,
        locks,
        start_id=state.start_id,
        attempt=state.attempt + (state.state is State.QUEUED),
        resume_from=state.resume_from,
        restarts=state.restarts,
    )
    return True


def _was_dropped(run: RunDir, state: StateRecord) -> bool:
    """Whether it was about to be started from this line, and whoever did that died or met a full disk:
    nothing of this attempt was ever recorded."""
    if state.state is not State.STARTING or not is_free(run.lock):
        return False
    process = read_process(run)
    return process is None or process.attempt < state.attempt
