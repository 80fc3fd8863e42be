"""The verbs `run-tree` and `depart`: a run is told file by file, and leaves once it is elsewhere."""

import shutil
from pathlib import Path

from remote.agent.background import in_thread
from remote.agent.context import Context
from remote.agent.kept.gone import GOING, MovedRun, note_moved, read_moved, trash_folder
from remote.agent.kept.labels import read_labels
from remote.agent.runs.quiet import demand_over, held
from remote.agent.runs.trash import size_of
from remote.agent.trees.arrival import ARRIVED
from remote.agent.verb import Work
from remote.protocol.errors import CallError
from remote.protocol.keeping import DepartArgs, KeepArgs, KeptRun, RunTree
from trainer.run.disk.atomic import fsync_folder, write_bytes
from trainer.run.disk.file_tree import LIST_MAX, FileTree
from trainer.run.disk.small_record import read_small
from trainer.run.disk.tree_copies import inside, listed
from trainer.run.home import Home
from trainer.run.layout import RunDir
from trainer.run.run_errors import RecordError

LEFT_OUT = frozenset({"lock", "trainer.lock", "reserve", ARRIVED})


def run_tree(ctx: Context, args: KeepArgs) -> Work[RunTree]:
    """The verb. The run is archived first: nobody resumes it while it is copied, and `restore` keeps it here.

    Raises:
        CallError: `not_found`, `already_running`, or `refused`: not archived, or no other host could hold it.
    """
    run = ctx.run(args.run_id)
    yield from demand_over(ctx, run)
    if not read_labels(run).archived:
        raise CallError("refused", f"{run.run_id} is not archived", f"photinus archive {run.run_id} first")
    path = _list_path(ctx.home, run)
    try:
        tree = yield from in_thread(lambda: listed(run.path, LEFT_OUT))
    except (RecordError, OSError) as error:
        raise CallError(
            "refused", f"{run.run_id} cannot go: {error}", "remove that from its folder"
        ) from error
    path.parent.mkdir(mode=0o700, exist_ok=True)
    write_bytes(path, tree.encoded)
    return RunTree(
        run_id=run.run_id,
        dir=str(run.path),
        list_path=str(path),
        list_bytes=len(tree.encoded),
        sha256=tree.sha256,
        bytes=tree.size,
    )


def depart(ctx: Context, args: DepartArgs) -> Work[KeptRun]:
    """The verb: say where it went, then let it go. Sent twice it is the same.

    Raises:
        CallError: `not_found`, or `refused`: it was changed since it was told file by file.
    """
    run = ctx.home.run(args.run_id)
    moved = read_moved(ctx.home, args.run_id)
    if not run.state.exists() and moved is not None and moved.to == args.to:
        return KeptRun(run_id=args.run_id, name=moved.name, state="moved", where=args.to)
    run = ctx.run(args.run_id)
    seq = yield from demand_over(ctx, run)
    name, size = ctx.view(run).name, (yield from in_thread(lambda: size_of(run.path)))
    with held(ctx, run, seq):
        _demand_unchanged(ctx, run, args.sha256)
        note_moved(ctx.home, MovedRun(run_id=run.run_id, to=args.to, name=name, by=args.by))
        away = trash_folder(ctx.home) / f"{GOING}{run.run_id}"
        away.parent.mkdir(mode=0o700, exist_ok=True)
        run.path.rename(away)
        fsync_folder(run.path.parent)
        _list_path(ctx.home, run).unlink(missing_ok=True)
    ctx.index.look(run.run_id)
    ctx.views.forget(run)
    yield from in_thread(lambda: shutil.rmtree(away, ignore_errors=True))
    return KeptRun(run_id=run.run_id, name=name, state="moved", where=args.to, bytes=size)


def _list_path(home: Home, run: RunDir) -> Path:
    return home.root / "moved" / f".list-{run.run_id}"


def _paths(tree: FileTree) -> set[str]:
    return {*(one.path for one in tree.files), *(one.path for one in tree.links)}


def _demand_unchanged(ctx: Context, run: RunDir, sha256: str) -> None:
    path = _list_path(ctx.home, run)
    try:
        data = read_small(path, LIST_MAX, ours=True)
        tree = FileTree.parse(data) if data else None
        told = path.stat().st_mtime_ns
        is_same = (
            tree is not None
            and tree.sha256 == sha256
            and bool(read_labels(run).archived)
            and {path.relative_to(run.path).as_posix() for path in inside(run.path, LEFT_OUT)} == _paths(tree)
            and all((run.path / one).lstat().st_ctime_ns <= told for one in _paths(tree))
        )
    except (RecordError, OSError):
        is_same = False
    if not is_same:
        raise CallError(
            "refused",
            f"{run.run_id} was changed while it was copied; it stays here",
            "look at both, and try again",
        )
