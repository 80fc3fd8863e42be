"""The state root: whose it is, who may read it, what disk it is on and how much is left there."""

import os
import stat
import time
from collections.abc import Iterator
from pathlib import Path

from remote.agent.audit import audit_path
from remote.agent.context import Context
from remote.audit.audit_log import read
from remote.protocol.finding import Finding
from trainer.run.disk.filesystems import UNKNOWN, filesystem_of, is_network
from trainer.run.home import HOME_VARIABLE

FREE_MIN = 1 << 30
FILES_MIN = 2000
DRAFT_AGE_S = 3600.0
SHOWN = 5


def check(ctx: Context, _deep: bool) -> Iterator[Finding]:
    """Findings about the state root itself. One that others may read is refused before any agent serves."""
    home = ctx.home.root
    yield from _damaged(ctx)
    yield from _copied(ctx)
    yield from _owners(home)
    yield from _kinds(home)
    yield from _file_system(home)
    yield from _space(ctx)
    yield from _drafts(home)
    yield from _audit(ctx)


def _damaged(ctx: Context) -> Iterator[Finding]:
    if not ctx.home.damage:
        return
    yield Finding(
        level="problem",
        about="state root",
        what=ctx.home.damage,
        why="nothing is begun here: whether this is a copy of another state root, whose line of waiting runs "
        "is not ours, cannot be told",
        remedy=f"{ctx.home.move_away}, if this is no copy; the next command then gives the host a new id",
    )


def _copied(ctx: Context) -> Iterator[Finding]:
    """A copy is a home of its own; what is odd about it should be known."""
    if not ctx.home.copied:
        return
    yield Finding(
        level="note",
        about="state root",
        what=f"{ctx.home.root} is a copy of {ctx.home.copy_of}, and another host of its own",
        why="processes, devices and waiting starts of the original were left to the original",
        remedy="photinus ls: runs that were on when it was copied are `died` here, and can be resumed",
    )


def _owners(home: Path) -> Iterator[Finding]:
    for path in [home, *sorted(home.iterdir()), *sorted((home / "runs").iterdir())]:
        found = path.lstat()
        if stat.S_ISLNK(found.st_mode):
            yield Finding(
                level="warning",
                about="state root",
                what=f"{path} is a symbolic link",
                why="nothing that Photinus writes there is one: locks and renames may go elsewhere",
                remedy=f"ls -l {path}",
            )
        elif found.st_uid != os.geteuid():
            yield Finding(
                level="problem",
                about="state root",
                what=f"{path} belongs to user {found.st_uid}, not to you",
                why="its locks and states cannot be trusted, and writing there fails",
                remedy=f"sudo chown -R {os.geteuid()} {path}",
            )


def _kinds(home: Path) -> Iterator[Finding]:
    """What stands in the place of a lock or of the index: with a folder there, no start is carried out."""
    for path in [home / "agent.lock", home / "index", *sorted((home / "devices").glob("*.lock"))]:
        if os.path.lexists(path) and not stat.S_ISREG(path.lstat().st_mode):
            yield Finding(
                level="problem",
                about="state root",
                what=f"{path} is no plain file",
                why="whoever needs it is refused",
                remedy=f"mv {path} {path}.odd",
            )


def _file_system(home: Path) -> Iterator[Finding]:
    kind = filesystem_of(home)
    if is_network(kind):
        yield Finding(
            level="problem",
            about="state root",
            what=f"{home} is on {kind}, a network file system",
            why="a lock there does not exclude another machine",
            remedy=f"set {HOME_VARIABLE} (or the host's home:) to a folder on a local disk",
        )
    elif kind == UNKNOWN:
        yield Finding(
            level="note",
            about="state root",
            what=f"the file system of {home} could not be told",
            remedy=f"df {home}",
        )


def _space(ctx: Context) -> Iterator[Finding]:
    home = ctx.home.root
    free = ctx.disk_free(home)
    wanted = max([FREE_MIN, *(2 * size for size in _newest_sizes(ctx))])
    if free < wanted:
        yield Finding(
            level="problem" if free < 1 << 20 else "warning",
            about="disk",
            what=f"{free / 1e9:.2f} GB are free on the disk of {home}; {wanted / 1e9:.2f} GB are wanted",
            why="a checkpoint is written before an older one is removed; a resume wants twice its size",
            remedy=f"du -sh {home}/runs/*/checkpoints",
        )
    found = os.statvfs(home)
    if found.f_files and found.f_favail < FILES_MIN:
        yield Finding(
            level="warning",
            about="disk",
            what=f"only {found.f_favail} more files fit on the disk of {home}",
            why="every state, request and checkpoint is a file",
            remedy=f"df -i {home}",
        )


def _newest_sizes(ctx: Context) -> Iterator[int]:
    from trainer.run.checkpoints.manifest import list_checkpoints

    for run in ctx.views.whole():
        state = ctx.views.state(run)
        if state is not None and not state.is_terminal:
            found = [one.manifest.bytes for one in list_checkpoints(run.checkpoints) if one.manifest]
            yield from found[-1:]


def _drafts(home: Path) -> Iterator[Finding]:
    """Temporary files whose writer died: nothing reads them."""
    old = time.time() - DRAFT_AGE_S
    folders = [home, home / "starts", home / "queue", *(home / "runs").iterdir()]
    places = [*folders, *(path / "control" for path in folders)]
    found = [
        path
        for place in places
        if place.is_dir()
        for path in place.glob(".*.tmp")
        if path.lstat().st_mtime < old
    ]
    if found:
        yield Finding(
            level="note",
            about="state root",
            what=f"{len(found)} half-written files of processes that died lie about",
            why="nothing ever reads them",
            remedy="rm " + " ".join(map(str, found[:SHOWN])) + (" ..." if len(found) > SHOWN else ""),
        )


def _audit(ctx: Context) -> Iterator[Finding]:
    path = audit_path(ctx.home)
    if path.exists() and not path.is_file():
        yield Finding(
            level="warning",
            about="audit log",
            what=f"{path} is no plain file",
            why="what is done on this host leaves no record",
            remedy=f"mv {path} {path}.odd",
        )
        return
    if path.exists() and not os.access(path, os.W_OK):
        yield Finding(
            level="warning",
            about="audit log",
            what=f"{path} cannot be written",
            why="what is done on this host leaves no record",
            remedy=f"chmod 600 {path}",
        )
        return
    _, malformed = read(path, last=500)
    if malformed:
        yield Finding(
            level="note",
            about="audit log",
            what=f"{malformed} of the newest 500 lines of {path} are torn or no entries",
            why="a crash tears at most the line that was being written",
            remedy="photinus audit",
        )
