"""A checkpoint's folder on this machine: whole once its manifest has its name, until then in parts."""

import hashlib
import os
import shutil
from pathlib import Path

from remote.protocol.errors import CallError
from remote.transfer.catalog import RemoteCheckpoint
from remote.transfer.safe_names import PART
from trainer.run.checkpoints.manifest import MANIFEST, FileProof
from trainer.run.disk.atomic import fsync_folder, write_bytes

CHUNK = 1 << 20


class CheckpointFolder:
    """`RUN/step-NNNNNNNN` below the folder that a pull fills."""

    def __init__(self, run_folder: Path, name: str) -> None:
        self.path = run_folder / name

    @property
    def manifest(self) -> Path:
        """There only when everything else is."""
        return self.path / MANIFEST

    @property
    def draft(self) -> Path:
        """The manifest until then: it says whose parts these are."""
        return self.path / (MANIFEST + PART)

    def is_identical(self, wanted: RemoteCheckpoint) -> bool:
        """Whether the whole checkpoint is here: its manifest by hash, its files by size."""
        return _sha256(self.manifest) == wanted.sha256 and all(
            _size(self.path / name) == proof.bytes for name, proof in wanted.files.items()
        )

    def reopen(self, wanted: RemoteCheckpoint, *, is_thorough: bool) -> list[str]:
        """Take back the manifest of a folder whose files are not those it names, and remove these; which."""
        if _sha256(self.manifest) != wanted.sha256:
            return []
        bad = [name for name, proof in wanted.files.items() if not self._holds(name, proof, is_thorough)]
        if bad:
            self.manifest.rename(self.draft)
            for name in bad:
                (self.path / name).unlink(missing_ok=True)
        return bad

    def begin(self, wanted: RemoteCheckpoint) -> int:
        """Make the folder ready for parts of `wanted`; the bytes of it that are here already.

        What is no part of it is set aside under another name, and never removed.

        Raises:
            CallError: `refused`: something else has its name.
        """
        _demand_folder(self.path.parent)
        if self.path.exists() or self.path.is_symlink():
            _demand_folder(self.path)
            if _sha256(self.draft) != wanted.sha256 or self.manifest.exists():
                self._set_aside()
        self.path.mkdir(mode=0o700, exist_ok=True)
        return sum(min(self._present(name), proof.bytes) for name, proof in wanted.files.items())

    def claim(self, manifest: bytes) -> None:
        """From now on the parts here are of this manifest."""
        write_bytes(self.draft, manifest)

    def missing(self, wanted: RemoteCheckpoint) -> list[tuple[str, FileProof]]:
        """The files that are still to come; one under its own name was proven before it got it."""
        return [
            (name, proof) for name, proof in wanted.files.items() if _size(self.path / name) != proof.bytes
        ]

    def finish(self) -> None:
        """Everything is here and proven: the manifest gets its name."""
        fsync_folder(self.path)
        self.draft.rename(self.manifest)
        fsync_folder(self.path)

    def forget(self, wanted: RemoteCheckpoint) -> None:
        """Remove the parts of a checkpoint that can never become whole, because the host has it no more."""
        if self.manifest.exists():
            return
        for name in (*wanted.files, MANIFEST):
            (self.path / (name + PART)).unlink(missing_ok=True)
            (self.path / name).unlink(missing_ok=True)
        if self.path.is_dir() and not any(self.path.iterdir()):
            self.path.rmdir()

    def _present(self, name: str) -> int:
        size = _size(self.path / name)
        return max(0, _size(self.path / (name + PART)) if size < 0 else size)

    def _holds(self, name: str, proof: FileProof, is_thorough: bool) -> bool:
        path = self.path / name
        return _size(path) == proof.bytes and (not is_thorough or _sha256(path) == proof.sha256)

    def _set_aside(self) -> None:
        if all(path.name.endswith(PART) for path in self.path.iterdir()):
            shutil.rmtree(self.path)
            return
        number = 1
        while (aside := self.path.with_name(f"{self.path.name}.was-{number}")).exists():
            number += 1
        self.path.rename(aside)


def _demand_folder(path: Path) -> None:
    if path.is_symlink() or not path.is_dir():
        raise CallError("refused", f"{path} is not a folder", "name another place with --to")


def _size(path: Path) -> int:
    """Bytes of a plain file; -1 for anything else."""
    return path.lstat().st_size if path.is_file() and not path.is_symlink() else -1


def _sha256(path: Path) -> str:
    digest = hashlib.sha256()
    try:
        fd = os.open(path, os.O_RDONLY | os.O_CLOEXEC | os.O_NOFOLLOW | os.O_NONBLOCK)
    except OSError:
        return ""
    with open(fd, "rb") as file:  # noqa: PTH123  a descriptor
        while chunk := file.read(CHUNK):
            digest.update(chunk)
    return digest.hexdigest()
