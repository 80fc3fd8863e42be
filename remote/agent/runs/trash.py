"""The verbs `trash`, `trashed` and `purge`: a run leaves by one rename, and for good only when asked to."""

import os
import shutil
import time
from collections.abc import Generator, Iterator
from dataclasses import replace
from pathlib import Path

from remote.agent.background import in_thread
from remote.agent.context import Context
from remote.agent.history import parent_of
from remote.agent.kept.gone import GOING, trash_folder, trashed
from remote.agent.kept.labels import read_labels, write_labels
from remote.agent.run_index import SLICE_S
from remote.agent.runs.quiet import demand_over, held
from remote.agent.verb import Work
from remote.protocol.errors import CallError
from remote.protocol.keeping import KeepArgs, KeptRun, PurgeArgs, Purged, TrashArgs, TrashedRun, TrashList
from remote.protocol.sanitise import clean_line
from trainer.run.disk.atomic import fsync_folder, read_json
from trainer.run.layout import RUN_ID, RunDir
from trainer.run.records import read_state
from trainer.run.run_errors import RunError

PAGE = 500


def trash(ctx: Context, args: KeepArgs) -> Work[KeptRun]:
    """The verb. A run that is in the trash already stays there: sent twice it is the same.

    Raises:
        CallError: `not_found`, `already_running`, or `refused`: it left processes, or another began from it.
    """
    there = trashed(ctx.home, args.run_id)
    if there.path.exists() and not ctx.home.run(args.run_id).state.exists():
        return (yield from _kept(there))
    run = ctx.run(args.run_id)
    yield from ctx.index.refresh()
    seq = yield from demand_over(ctx, run)
    known = yield from _demand_no_child(ctx, run.run_id)
    with held(ctx, run, seq):
        _demand_no_newcomer(ctx, run.run_id, known)
        put_away(run, there.path)
    ctx.index.look(run.run_id)
    ctx.views.forget(run)
    return (yield from _kept(there))


def put_away(run: RunDir, to: Path) -> None:
    """One rename within the home; the time of it is noted before, which of a run that stayed says nothing."""
    to.parent.mkdir(mode=0o700, exist_ok=True)
    if to.exists():
        raise CallError("refused", f"there is another {run.run_id} in the trash", "photinus rm --purge first")
    write_labels(run, replace(read_labels(run), trashed=time.time()))
    run.path.rename(to)
    fsync_folder(to.parent)
    fsync_folder(run.path.parent)


def trash_list(ctx: Context, args: TrashArgs) -> TrashList:
    """The verb `trashed`."""
    rows = sorted(_rows(ctx), key=lambda row: (-row.at, row.run_id))
    page = rows[args.skip : args.skip + PAGE]
    more = args.skip + len(page) < len(rows)
    return TrashList(runs=page, wall=time.time(), next=args.skip + len(page) if more else 0)


def purge(ctx: Context, args: PurgeArgs) -> Work[Purged]:
    """The verb. What an earlier one left half removed goes too.

    Raises:
        CallError: `not_found`: a run that is named does not lie in the trash.
    """
    folder = trash_folder(ctx.home)
    there = {row.run_id: row for row in _rows(ctx)}
    if missing := [run_id for run_id in args.run_ids if run_id not in there]:
        raise CallError("not_found", f"{missing[0]} is not in the trash", "photinus ls --trash lists it")
    wanted = args.run_ids or [one.run_id for one in there.values() if time.time() - one.at >= args.older_s]
    going, freed = [], 0
    for run_id in wanted:
        with ctx.critical():
            path, away = folder / run_id, folder / f"{GOING}{run_id}"
            if path.exists() and not away.exists():
                path.rename(away)
                going.append(run_id)
    for path in folder.glob(f"{GOING}*"):
        freed += yield from in_thread(lambda path=path: size_of(path))  # type: ignore[misc]
        yield from in_thread(lambda path=path: shutil.rmtree(path, ignore_errors=True))  # type: ignore[misc]
    return Purged(run_ids=going, bytes=freed)


def size_of(path: Path) -> int:
    """Bytes of the files below a folder."""
    total = 0
    for folder, _, names in os.walk(path):
        for name in names:
            try:
                total += os.lstat(os.path.join(folder, name)).st_size  # noqa: PTH118  many of them
            except OSError:
                continue
    return total


def row_of_trash(run: RunDir) -> TrashedRun | None:
    """What is known of a folder of the trash; None where it is no run."""
    try:
        state, raw = read_state(run), read_json(run.spec)
    except (RunError, OSError):
        state, raw = None, None
    labels = read_labels(run)
    name = raw.get("name") if isinstance(raw, dict) else ""
    return TrashedRun(
        run_id=run.run_id,
        name=labels.name or clean_line(str(name))[:200],
        state=str(state.state) if state else "unknown",
        at=labels.trashed,
        tags=list(labels.tags),
    )


def _rows(ctx: Context) -> Iterator[TrashedRun]:
    folder = trash_folder(ctx.home)
    if not folder.is_dir():
        return
    for name in os.listdir(folder):  # noqa: PTH208  perhaps thousands of them
        if RUN_ID.fullmatch(name) and (row := row_of_trash(RunDir(folder / name))) is not None:
            yield row


def _kept(there: RunDir) -> Work[KeptRun]:
    row = row_of_trash(there)
    size = yield from in_thread(lambda: size_of(there.path))
    return KeptRun(
        run_id=there.run_id,
        name=row.name if row else "",
        state=row.state if row else "unknown",
        where="trash",
        bytes=size,
    )


def _demand_no_child(ctx: Context, run_id: str) -> Generator[None, None, set[str]]:
    """The names of all runs that were asked.

    Raises:
        CallError: `refused`: a run of this home began from this one.
    """
    until = time.monotonic() + SLICE_S
    for entry in [*ctx.index.newest(), *ctx.index.newest(archived=True)]:
        _demand_no_parent(entry.run_id, parent_of(ctx, entry), run_id)
        if time.monotonic() > until:
            yield
            until = time.monotonic() + SLICE_S
    for run in ctx.index.live:
        _demand_no_parent(run.run_id, _parent(run), run_id)
    return {*ctx.index.finished, *(run.run_id for run in ctx.index.live)}


def _demand_no_newcomer(ctx: Context, run_id: str, known: set[str]) -> None:
    """A run may have begun from this one since: under agent.lock none can."""
    for name in set(os.listdir(ctx.home.runs_dir)) - known:  # noqa: PTH208
        if RUN_ID.fullmatch(name):
            _demand_no_parent(name, _parent(ctx.home.run(name)), run_id)


def _parent(run: RunDir) -> str:
    try:
        raw = read_json(run.spec)
    except (RunError, OSError):
        return ""
    parent = raw.get("parent") if isinstance(raw, dict) else ""
    return parent.partition("/")[0] if isinstance(parent, str) else ""


def _demand_no_parent(child: str, parent: str, run_id: str) -> None:
    if parent == run_id:
        raise CallError(
            "refused",
            f"{child} began from a checkpoint of {run_id}",
            f"photinus rm {child} first, or photinus archive {run_id}",
        )
