"""The verbs `archive` and `restore`: a run leaves the list, in place or to a folder, and comes back."""

import hashlib
import os
import shutil
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

from remote.agent.background import in_thread
from remote.agent.context import Context
from remote.agent.kept.gone import (
    GOING,
    MovedRun,
    forget_moved,
    note_moved,
    read_moved,
    trash_folder,
    trashed,
)
from remote.agent.kept.labels import read_labels, write_labels
from remote.agent.runs.quiet import demand_over, held
from remote.agent.runs.trash import size_of
from remote.agent.verb import Work
from remote.protocol.errors import CallError
from remote.protocol.keeping import ArchiveArgs, KeepArgs, KeptRun
from trainer.run.disk.atomic import fsync_folder, sync_to_disk
from trainer.run.disk.tree_copies import sync_folders
from trainer.run.layout import RunDir

PIECE = 1 << 20
LOCKS = frozenset({"lock", "trainer.lock"})


def archive(ctx: Context, args: ArchiveArgs) -> Work[KeptRun]:
    """The verb. In place a run stays where it is and is read as before; it is not listed and not resumed.

    Raises:
        CallError: `not_found`, `already_running`, or `refused`: the folder cannot take it, or not whole.
    """
    run = ctx.run(args.run_id)
    seq = yield from demand_over(ctx, run)
    if args.to:
        return (yield from _move_to(ctx, run, seq, _folder(ctx, args.to), args.by))
    with held(ctx, run, seq):
        labels = read_labels(run)
        if not labels.archived:
            write_labels(run, replace(labels, archived=time.time()))
    return _kept(ctx, run, "archive")


def restore(ctx: Context, args: KeepArgs) -> Work[KeptRun]:
    """The verb: out of the trash, out of the archive, or back from a folder of this host.

    Raises:
        CallError: `not_found`, or `refused`: it is on another host, or its folder there is not whole.
    """
    run, there = ctx.home.run(args.run_id), trashed(ctx.home, args.run_id)
    if not run.state.exists() and there.path.exists():
        with ctx.critical():
            _demand_free(run)
            there.path.rename(run.path)
            fsync_folder(run.path.parent)
            fsync_folder(there.path.parent)
        forget_moved(ctx.home, args.run_id)
    elif not run.state.exists() and (moved := read_moved(ctx.home, args.run_id)) is not None:
        yield from _bring_back(ctx, run, moved)
    run = ctx.run(args.run_id)
    with ctx.critical():
        labels = read_labels(run)
        if labels.archived or labels.trashed:
            write_labels(run, replace(labels, archived=0.0, trashed=0.0))
    return _kept(ctx, run, "runs")


def _kept(ctx: Context, run: RunDir, where: str) -> KeptRun:
    ctx.index.look(run.run_id)
    view = ctx.view(run)
    return KeptRun(run_id=run.run_id, name=view.name, state=view.state, where=where)


def _folder(ctx: Context, text: str) -> Path:
    path = Path(text).expanduser()
    if not path.is_absolute():
        raise CallError("bad_request", f"{text[:200]!r} is no absolute path on the host", "--to /ITS/FOLDER")
    if path.resolve().is_relative_to(ctx.home.root.resolve()):
        raise CallError(
            "refused", f"{path} lies in the state root itself", "leave out --to: it stays in place"
        )
    return path


def _move_to(ctx: Context, run: RunDir, seq: int, folder: Path, by: str) -> Work[KeptRun]:
    """Copy, compare every byte, name it, note where it is; only then does it leave. Cut anywhere, the same
    command goes on: until it left, the run here is the whole one."""
    name = ctx.view(run).name
    target = folder / run.run_id
    before = yield from in_thread(lambda: stamps(run.path))
    yield from in_thread(lambda: copy_whole(run.path, target))
    with held(ctx, run, seq):
        if stamps(run.path) != before:
            raise CallError("refused", f"{run.run_id} was changed while it was copied", "try again")
        note_moved(ctx.home, MovedRun(run_id=run.run_id, to=str(target), name=name, by=by))
        away = trash_folder(ctx.home) / f"{GOING}{run.run_id}"
        away.parent.mkdir(mode=0o700, exist_ok=True)
        run.path.rename(away)
        fsync_folder(run.path.parent)
    ctx.index.look(run.run_id)
    size = yield from in_thread(lambda: size_of(target))
    yield from in_thread(lambda: shutil.rmtree(away, ignore_errors=True))
    return KeptRun(run_id=run.run_id, name=name, state="archived", where=str(target), bytes=size)


def _bring_back(ctx: Context, run: RunDir, moved: MovedRun) -> Work[None]:
    source = Path(moved.to)
    if not source.is_absolute():
        raise CallError(
            "refused", f"{run.run_id} is on another host: {moved.to}", f"photinus show {moved.to}"
        )
    if not source.is_dir():
        raise CallError(
            "not_found", f"{run.run_id} was moved to {source}, and is not there", "look for its folder"
        )
    draft = ctx.home.root / "trash" / f".coming-{run.run_id}" / run.run_id
    yield from in_thread(lambda: copy_whole(source, draft))
    with ctx.critical():
        _demand_free(run)
        draft.rename(run.path)
        fsync_folder(run.path.parent)
    shutil.rmtree(draft.parent, ignore_errors=True)
    forget_moved(ctx.home, run.run_id)
    yield from in_thread(lambda: shutil.rmtree(source, ignore_errors=True))


def _demand_free(run: RunDir) -> None:
    """Empty folders of a start that was refused may stand there; anything else is a run."""
    if run.spec.exists() or run.state.exists():
        raise CallError("refused", f"there is a run {run.run_id} already", f"photinus rm {run.run_id} first")
    shutil.rmtree(run.path, ignore_errors=True)


def copy_whole(source: Path, target: Path) -> None:
    """A copy under its name only when each of its files was read back and is the same, byte by byte.

    Raises:
        CallError: `refused`: another thing is there, the disk refused, or the copy differs.
    """
    part = target.with_name(f".{target.name}.part")
    try:
        wanted = hashes(source)
        if target.exists():
            if hashes(target) != wanted:
                raise CallError(
                    "refused", f"{target} is there, and is another", "remove it, or name another folder"
                )
            return
        shutil.rmtree(part, ignore_errors=True)
        part.parent.mkdir(parents=True, exist_ok=True)
        shutil.copytree(source, part, symlinks=True)
        for path in _files(part):
            fd = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
            try:
                sync_to_disk(fd)
            finally:
                os.close(fd)
        sync_folders(part)
        if hashes(part) != wanted:
            raise CallError(
                "refused", f"the copy in {target.parent} is not the same", "try again: look at its disk"
            )
        part.rename(target)
        fsync_folder(target.parent)
    except (OSError, shutil.Error) as error:
        shutil.rmtree(part, ignore_errors=True)
        raise CallError(
            "refused", f"{target.parent} cannot take it: {str(error)[:300]}", "name another folder"
        ) from error


def stamps(folder: Path) -> dict[str, tuple[int, int]]:
    """Time and size of every file below but the locks: what tells that none was written meanwhile."""
    found = {str(path): path.lstat() for path in _files(folder) if path.name not in LOCKS}
    return {path: (one.st_mtime_ns, one.st_size) for path, one in found.items()}


def hashes(folder: Path) -> dict[str, str]:
    """SHA-256 of every plain file below, by its path there."""
    found = {}
    for path in _files(folder):
        digest = hashlib.sha256()
        with path.open("rb") as file:
            while data := file.read(PIECE):
                digest.update(data)
        found[str(path.relative_to(folder))] = digest.hexdigest()
    return found


def _files(folder: Path) -> Iterator[Path]:
    for path in sorted(folder.rglob("*")):
        if path.is_file() and not path.is_symlink():
            yield path
