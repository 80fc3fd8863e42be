"""A folder that appears whole or not at all: drafted beside its place, hashed, synced, renamed."""

import hashlib
import os
import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError
from safetensors.torch import save_file

from trainer.run.checkpoints.manifest import CHUNK, MANIFEST, seal
from trainer.run.disk.atomic import encode, fsync_folder, sync_to_disk

DRAFT_PREFIX = ".tmp-"


class Draft:
    """A checkpoint folder in the making. Leaving the block without `publish` removes it."""

    def __init__(self, folder: Path, name: str) -> None:
        self._final = folder / name
        self._path = folder / f"{DRAFT_PREFIX}{name}-{os.getpid()}"
        self._proofs: dict[str, dict[str, Any]] = {}

    def __enter__(self) -> "Draft":
        self._path.mkdir(mode=0o700, parents=True)
        return self

    def __exit__(self, *_: object) -> None:
        shutil.rmtree(self._path, ignore_errors=True)

    def tensors(self, name: str, tensors: Mapping[str, torch.Tensor]) -> None:
        """Write, sync and hash a safetensors file.

        Raises:
            OSError: the disk refused.
        """
        path = self._path / name
        try:
            save_file(dict(tensors), path)
        except SafetensorError as error:
            raise OSError(f"cannot write {name}: {error}") from error
        path.chmod(0o600)
        self._proofs[name] = _sync_and_prove(path)

    def file(self, name: str, data: bytes) -> None:
        """Write, sync and hash a file of plain bytes.

        Raises:
            OSError: the disk refused.
        """
        path = self._path / name
        path.write_bytes(data)
        path.chmod(0o600)
        self._proofs[name] = _sync_and_prove(path)

    def publish(self, manifest: Mapping[str, Any]) -> tuple[str, int]:
        """Write the sealed manifest, sync, and give the folder its name.

        Returns:
            SHA-256 of the manifest's bytes, and the bytes of all files.

        Raises:
            OSError: the disk refused, or the name is taken.
        """
        data = encode(seal({**manifest, "files": self._proofs}))
        path = self._path / MANIFEST
        with path.open("xb") as file:
            file.write(data)
        path.chmod(0o600)
        _sync_and_prove(path)
        fsync_folder(self._path)
        self._path.rename(self._final)
        fsync_folder(self._final.parent)
        size = sum(int(proof["bytes"]) for proof in self._proofs.values())
        return hashlib.sha256(data).hexdigest(), size + len(data)


def remove_drafts(folder: Path) -> None:
    """Remove what a killed process left half-written. The caller holds the trainer's lock."""
    for path in folder.glob(f"{DRAFT_PREFIX}*"):
        shutil.rmtree(path)


def _sync_and_prove(path: Path) -> dict[str, Any]:
    digest, size = hashlib.sha256(), 0
    with path.open("rb") as file:
        sync_to_disk(file.fileno())
        while chunk := file.read(CHUNK):
            digest.update(chunk)
            size += len(chunk)
    return {"bytes": size, "sha256": digest.hexdigest()}
