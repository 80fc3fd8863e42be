"""The verbs `tree` and `admit-tree`: a tree of files comes in parcels, is proven, and then gets its name."""

import contextlib
import hashlib
import os
import shutil
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

from remote.agent.background import in_thread
from remote.agent.context import Context
from remote.agent.trees.arrival import is_here, take_in
from remote.agent.trees.old_code import clear_old_code, used_now
from remote.agent.verb import Work
from remote.protocol.errors import CallError
from remote.protocol.keeping import Parcel, TreeAdmission, TreeArgs, TreeRoom, TreeRoomArgs
from trainer.run.disk.atomic import NO_SPACE, fsync_folder, write_bytes
from trainer.run.disk.file_tree import LIST_MAX, FileTree, TreeFile
from trainer.run.disk.small_record import open_plain, read_small
from trainer.run.disk.tree_copies import TreePlace, code_place, make_links, pieces, sync_folders, write_file
from trainer.run.layout import check_run_id
from trainer.run.run_errors import RecordError

LIST = "list"
TREE = "tree"
ALONE = "alone"  # in a draft: another tree did not hold what its list says; all is to come
LARGE = 4 << 20
"""From this size on a file is a parcel of its own, which is moved into its tree and not copied."""
PARCELS_MAX = 1000  # the answer is one line of the wire
TREES_MAX = 32  # whose contents are looked at before a file is asked for
BAD_MAX = 20


def tree(ctx: Context, args: TreeRoomArgs) -> Work[TreeRoom]:
    """The verb: where the list of a tree goes, and once it is there, what of its contents is missing.

    Raises:
        CallError: `disk_low`, or `refused`: the list is none of ours.
    """
    place = _place(ctx, args)
    if (yield from in_thread(lambda: _is_there(ctx, place, args))):
        return TreeRoom(done=True, dir=str(place.path))
    place.draft.mkdir(mode=0o700, parents=True, exist_ok=True)
    os.utime(place.draft)  # somebody sends it on
    ctx.check_room(args.list_bytes + args.bytes - _lying(place.draft))
    wanted = yield from in_thread(lambda: _listed(place, args))
    if wanted is None:
        path = place.draft / LIST
        return TreeRoom(done=False, dir=str(place.path), list_path=str(path), list_present=_size(path))
    parcels = yield from in_thread(lambda: parcels_of(place, wanted))
    return TreeRoom(done=False, dir=str(place.path), parcels=parcels)


def admit_tree(ctx: Context, args: TreeArgs) -> Work[TreeAdmission]:
    """The verb: lay the tree out of what came, each hash proven; `bad` names files that must come again.

    Raises:
        CallError: `not_found`: nothing came; `disk_low`; `refused`: this disk cannot hold such names.
    """
    place = _place(ctx, args)
    if (yield from in_thread(lambda: _is_there(ctx, place, args))):
        return TreeAdmission(done=True, dir=str(place.path))
    wanted = yield from in_thread(lambda: _listed(place, args))
    if wanted is None:
        raise CallError("not_found", "nothing of this tree came to the host", "ship it again")
    target = place.draft / f"{TREE}-{os.getpid()}-{os.urandom(4).hex()}"
    try:
        bad = yield from in_thread(lambda: lay_out(place, wanted, target, locked=args.kind != "run"))
    except CallError:
        if (yield from in_thread(lambda: _is_there(ctx, place, args))):
            return TreeAdmission(done=True, dir=str(place.path))  # another client was faster, and tidied
        raise
    if bad:
        return TreeAdmission(done=False, dir=str(place.path), bad=bad[:BAD_MAX])
    if args.kind == "run":
        take_in(ctx, args.name, args.sha256, target)
    else:
        with ctx.critical():
            settle(place, wanted, target)
    yield from in_thread(lambda: shutil.rmtree(place.draft, ignore_errors=True))
    if args.kind == "code":
        yield from ctx.index.refresh()
        yield from clear_old_code(ctx)
    return TreeAdmission(done=True, dir=str(place.path))


def _place(ctx: Context, args: TreeArgs) -> TreePlace:
    if args.kind == "code":
        return code_place(ctx.home.root, args.sha256)
    if args.kind == "run":
        return TreePlace(ctx.home.root / "arriving", check_run_id(args.name))
    return TreePlace(ctx.home.root / "corpora", f"{args.name or 'data'}-{args.sha256[:12]}")


def _is_there(ctx: Context, place: TreePlace, args: TreeArgs) -> bool:
    """Whether the whole tree is; another one of that name is refused."""
    if args.kind == "run":
        return is_here(ctx, args.name, args.sha256)
    found = _read(place)
    if found is not None and args.kind == "code":
        used_now(place)
    if found is not None and found.sha256 != args.sha256:
        raise CallError("refused", f"another tree lies at {place.path}", "give the folder another name")
    return found is not None


def _read(place: TreePlace) -> FileTree | None:
    with contextlib.suppress(RecordError, OSError):
        return place.read()
    return None


def _listed(place: TreePlace, args: TreeArgs) -> FileTree | None:
    """The list, once it came whole; one that is not the announced one is taken away."""
    path = place.draft / LIST
    if args.list_bytes > LIST_MAX or _size(path) < args.list_bytes:
        return None
    try:
        data = read_small(path, LIST_MAX, ours=True) or b""
        if hashlib.sha256(data).hexdigest() == args.sha256:
            return FileTree.parse(data)
    except RecordError as error:
        raise CallError("refused", str(error), "name another folder") from error
    path.unlink(missing_ok=True)
    return None


def parcels_of(place: TreePlace, wanted: FileTree) -> list[Parcel]:
    """What is missing: each content once, large ones by themselves, the small ones in one parcel."""
    known = {one.sha256 for _, other in _believed(place) for one in other.files}
    missing: dict[str, int] = {}
    for at, one in enumerate(sorted(wanted.files)):
        if one.bytes and one.sha256 not in known:
            missing.setdefault(one.sha256, at)
    files = sorted(wanted.files)
    large = [at for at in missing.values() if files[at].bytes >= LARGE][:PARCELS_MAX]
    small = sorted({*missing.values()} - {*large})
    found = [_parcel(place, f"large-{files[at].sha256}", [at], files) for at in large]
    if small:
        digest = hashlib.sha256("".join(files[at].sha256 for at in small).encode()).hexdigest()
        found.append(_parcel(place, f"pack-{digest[:32]}", small, files))
    return found


def _parcel(place: TreePlace, name: str, at: Sequence[int], files: Sequence[TreeFile]) -> Parcel:
    path, size = place.draft / name, sum(files[one].bytes for one in at)
    present = _size(path)
    return Parcel(path=str(path), files=[*at], bytes=size, present=present if present <= size else 0)


def lay_out(place: TreePlace, wanted: FileTree, target: Path, *, locked: bool) -> list[str]:
    """Make the folder `target`, `locked`: not to be written to; the paths whose content did not come so.

    Raises:
        CallError: `disk_low`, or `refused`: two of its names are one on this disk.
    """
    target.mkdir(mode=0o700)
    files = sorted(wanted.files)
    parcels = parcels_of(place, wanted)
    origin = _origins(place, parcels, files)
    bad: list[str] = []
    try:
        for one in files:
            if not _make(target / one.path, one, origin, locked=locked):
                bad.append(one.path)
                (target / one.path).unlink(missing_ok=True)
        make_links(wanted, target)
        sync_folders(target)
    except OSError as error:
        if error.errno in NO_SPACE:
            raise CallError("disk_low", "the host's disk is full", "free some space there") from error
        raise CallError(
            "refused",
            f"this host cannot hold {error.filename}: {error.strerror}",
            "rename it, and ship again",
        ) from error
    if bad:
        (place.draft / ALONE).touch()
        for parcel in parcels:
            Path(parcel.path).unlink(missing_ok=True)
    return bad


def settle(place: TreePlace, wanted: FileTree, target: Path) -> None:
    """Give a tree that was laid out its name: its record first, for it is there once its folder is."""
    if _read(place) is not None:
        return
    if place.path.exists():  # a folder without a sound record is no tree
        place.path.rename(place.draft / f"was-{os.urandom(4).hex()}")
    write_bytes(place.record, wanted.encoded)
    target.rename(place.path)
    fsync_folder(place.folder)


def _make(target: Path, one: TreeFile, origin: Mapping[str, tuple[Path, int]], *, locked: bool) -> bool:
    if not one.bytes:
        return write_file(target, one, iter(()), locked=locked)
    if one.sha256 not in origin:
        return False
    path, start = origin[one.sha256]
    try:
        with os.fdopen(open_plain(path), "rb") as file:
            file.seek(start)
            return write_file(target, one, pieces(file, one.bytes), locked=locked)
    except (FileNotFoundError, RecordError):
        return False


def _origins(
    place: TreePlace, parcels: Sequence[Parcel], files: Sequence[TreeFile]
) -> dict[str, tuple[Path, int]]:
    """Where each content lies: in a tree of this folder, or in a parcel from some byte on."""
    found = {
        one.sha256: (other.path / one.path, 0) for other, listed in _believed(place) for one in listed.files
    }
    for parcel in parcels:
        start = 0
        for at in parcel.files:
            found[files[at].sha256] = (Path(parcel.path), start)
            start += files[at].bytes
    return found


def _believed(place: TreePlace) -> Iterator[tuple[TreePlace, FileTree]]:
    return iter(()) if (place.draft / ALONE).exists() else _others(place)


def _others(place: TreePlace) -> Iterator[tuple[TreePlace, FileTree]]:
    """The newest trees beside this one."""
    try:
        found = [path for path in place.folder.iterdir() if path.name[0] != "." and path.is_dir()]
    except OSError:
        return
    for path in sorted(found, key=lambda path: -path.stat().st_mtime)[:TREES_MAX]:
        other = TreePlace(place.folder, path.name)
        if other != place and (listed := _read(other)) is not None:
            yield other, listed


def _size(path: Path) -> int:
    with contextlib.suppress(OSError):
        return path.stat(follow_symlinks=False).st_size
    return 0


def _lying(folder: Path) -> int:
    return sum(_size(path) for path in folder.iterdir() if path.is_file())
