"""The verbs `seed` and `admit`: a checkpoint that comes from elsewhere, proven before it gets its name."""

import hashlib
import os
import shutil
from collections.abc import Mapping
from pathlib import Path

from remote.agent.background import in_thread
from remote.agent.context import Context
from remote.agent.verb import Work
from remote.protocol.arguments import AdmitArgs, SeedArgs
from remote.protocol.errors import CallError
from remote.protocol.results import Admission, FileRow, SeedPlace
from trainer.run.checkpoints.imported import SEEDS, seed_path
from trainer.run.checkpoints.manifest import (
    MANIFEST,
    FileProof,
    checkpoint_name,
    manifest_sha256,
    parse_manifest,
    read_manifest,
)
from trainer.run.disk.atomic import fsync_folder
from trainer.run.disk.small_record import open_plain
from trainer.run.layout import RunDir
from trainer.run.locks import Flock
from trainer.run.records import read_state
from trainer.run.run_errors import CheckpointError, RecordError

CHUNK = 1 << 20


def seed(ctx: Context, args: SeedArgs) -> SeedPlace:
    """The verb: where to put the files of a checkpoint, and what of them lies there already.

    Raises:
        CallError: `not_found`, `already_running`, `disk_low`, or `refused`: another one has its name.
    """
    target, draft = _places(ctx, args)
    if _is_there(target, args.sha256):
        return SeedPlace(done=True, dir=str(target))
    draft.mkdir(mode=0o700, parents=True, exist_ok=True)
    present = [FileRow(name=path.name, bytes=path.stat().st_size) for path in sorted(draft.iterdir())[:8192]]
    ctx.check_room(args.bytes - sum(one.bytes for one in present))
    return SeedPlace(done=False, dir=str(draft), present=present)


def admit(ctx: Context, args: AdmitArgs) -> Work[Admission]:
    """The verb: prove what lies in the draft, and give it its name. `bad` names files that must come again.

    Raises:
        CallError: as `seed`, or `not_found`: there is no such draft.
    """
    target, draft = _places(ctx, args)
    if _is_there(target, args.sha256):
        return Admission(done=True, dir=str(target))
    bad = yield from in_thread(lambda: _prove(draft, args.sha256))
    if bad:
        return Admission(done=False, dir=str(draft), bad=bad)
    target.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    if args.run_id:
        _put_into_run(ctx.run(args.run_id), draft, target)
    else:
        draft.rename(target)
        fsync_folder(target.parent)
    shutil.rmtree(draft.parent, ignore_errors=True)
    return Admission(done=True, dir=str(target))


def _places(ctx: Context, args: AdmitArgs) -> tuple[Path, Path]:
    root = ctx.home.root
    target = seed_path(root, args.origin, args.name)
    if args.run_id:
        run = ctx.run(args.run_id)
        state = read_state(run)
        if state is not None and not state.is_terminal:
            raise CallError("already_running", f"{run.run_id} is {state.state}", "stop it first")
        target = run.checkpoints / args.name
    return target, root / SEEDS / f".in-{args.sha256[:32]}" / args.name


def _is_there(target: Path, sha256: str) -> bool:
    if not target.exists():
        return False
    try:
        there = manifest_sha256(target)
    except CheckpointError:
        there = ""
    if there != sha256:
        raise CallError(
            "refused",
            f"another checkpoint lies at {target} already",
            "push it under another --origin, or remove that one",
        )
    return True


def _prove(draft: Path, sha256: str) -> list[str]:
    """Names of files that are not what the manifest says; they are removed."""
    if not draft.is_dir():
        raise CallError("not_found", "nothing of this checkpoint lies on the host", "push it again")
    try:
        data = read_manifest(draft)
        if hashlib.sha256(data).hexdigest() != sha256:
            raise CheckpointError("another manifest")
        manifest = parse_manifest(data, draft.name)
    except (OSError, CheckpointError):
        (draft / MANIFEST).unlink(missing_ok=True)
        return [MANIFEST]
    files = manifest.files
    if not files or checkpoint_name(manifest.step) != draft.name:
        raise CallError("refused", f"{draft.name} is no whole checkpoint of that step", "push another one")
    bad = _bad_files(draft, files)
    for name in bad:
        (draft / name).unlink(missing_ok=True)
    if not bad:
        for path in draft.iterdir():
            if path.name not in files and path.name != MANIFEST:
                path.unlink()
            else:
                path.chmod(0o600)
        fsync_folder(draft)
    return bad


def _bad_files(draft: Path, files: Mapping[str, FileProof]) -> list[str]:
    for name in files:
        if Path(name).name != name or name in (".", ".."):
            raise CallError("refused", f"{name[:80]!r} is no plain file name")
    return [name for name, proof in files.items() if not _is_proven(draft / name, proof)]


def _is_proven(path: Path, proof: FileProof) -> bool:
    try:
        return arrived(path) == (proof.sha256, proof.bytes)
    except (OSError, RecordError):
        return False


def arrived(path: Path) -> tuple[str, int]:
    """SHA-256 and size of a file that was sent here, which is on the disk then.

    Raises:
        OSError: it cannot be read.
        RecordError: it is no plain file.
    """
    digest, size = hashlib.sha256(), 0
    with os.fdopen(open_plain(path), "rb") as file:
        while data := file.read(CHUNK):
            digest.update(data)
            size += len(data)
        os.fsync(file.fileno())
    return digest.hexdigest(), size


def _put_into_run(run: RunDir, draft: Path, target: Path) -> None:
    with Flock(run.lock) as lock:
        if not lock.take(0.0):
            raise CallError("already_running", f"{run.run_id} was started meanwhile", "stop it first")
        draft.rename(target)
        fsync_folder(target.parent)
