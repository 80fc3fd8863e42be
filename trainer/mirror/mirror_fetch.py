"""The newest checkpoint of a mirror that proves itself, brought into a run's folder."""

import os
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path

from trainer.mirror.mirror_places import DRAFT, MirrorError, MirrorPlace
from trainer.run.checkpoints.manifest import (
    MANIFEST,
    MANIFEST_MAX,
    newest_valid,
    parse_manifest,
    verify,
)
from trainer.run.disk.atomic import fsync_folder, sync_to_disk
from trainer.run.disk.space import shortage
from trainer.run.layout import RunDir
from trainer.run.run_errors import CheckpointError


def fetch_newest(place: MirrorPlace, run: RunDir, talk: Callable[[str], None]) -> Path:
    """Return the newest valid checkpoint of the run, fetched where the mirror has a newer one than it.

    Args:
        talk: hears what was fetched, and why newer ones were passed over.

    Raises:
        MirrorError: there is none, here or there; or it cannot be reached.
    """
    own = newest_valid(run.checkpoints, talk)
    try:
        names = place.names()
    except OSError as error:
        raise MirrorError(f"the mirror cannot be read: {error}") from error
    for name in reversed(names):
        if own is not None and own.step >= int(name[5:]):
            break
        try:
            return fetch(place, name, run, talk)
        except (CheckpointError, OSError, MirrorError) as error:
            talk(f"passed over in the mirror: {error}")
    if own is None:
        listed = ", ".join(names[-3:]) or "no checkpoint"
        raise MirrorError(
            f"the mirror has nothing to go on from ({listed}); name the folder of the run in it, which holds "
            "step-NNNNNNNN"
        )
    return own.path


def fetch(place: MirrorPlace, name: str, run: RunDir, talk: Callable[[str], None]) -> Path:
    """Bring one here; it appears once every byte of it is proven.

    Raises:
        CheckpointError: it is torn or changed.
        MirrorError, OSError: it cannot be read, or there is no room.
    """
    raw = b"".join(_pieces(place, name, MANIFEST, MANIFEST_MAX))
    manifest = parse_manifest(raw, name)
    run.create()
    if short := shortage(run.checkpoints, manifest.bytes):
        raise MirrorError(short)
    draft = run.checkpoints / f"{DRAFT}fetched-{os.getpid()}" / name
    shutil.rmtree(draft.parent, ignore_errors=True)
    try:
        draft.mkdir(mode=0o700, parents=True)
        sizes = {file: proof.bytes for file, proof in manifest.files.items()} | {MANIFEST: len(raw)}
        for file, size in sizes.items():
            if Path(file).name != file or file in (".", ".."):
                raise CheckpointError(f"{name}: {file!r} is no plain file name")
            with (draft / file).open("xb") as opened:
                for data in (raw,) if file == MANIFEST else _pieces(place, name, file, size):
                    opened.write(data)
                opened.flush()
                sync_to_disk(opened.fileno())
        verify(draft)
        final = run.checkpoints / name
        if final.exists():  # a torn one of that name, which was passed over
            shutil.rmtree(final)
        draft.rename(final)
        fsync_folder(run.checkpoints)
    finally:
        shutil.rmtree(draft.parent, ignore_errors=True)
    talk(f"fetched from the mirror: {name}, {manifest.bytes:,} bytes")
    return final


def _pieces(place: MirrorPlace, name: str, file: str, most: int) -> Iterator[bytes]:
    total = 0
    for data in place.read(name, file):
        total += len(data)
        if total > most:
            raise CheckpointError(f"{name}: {file} is larger than its manifest says")
        yield data
