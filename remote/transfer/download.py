"""One checkpoint on its way here: its manifest first, then its files, then the manifest's name."""

import hashlib
import threading
from pathlib import Path

from remote.protocol.errors import CallError
from remote.transfer.catalog import Catalog, RemoteCheckpoint
from remote.transfer.checkpoint_folder import CheckpointFolder
from remote.transfer.fetch_file import DamagedError, fetch_file
from remote.transfer.sources import FileSource, GoneError
from remote.transfer.transfer_progress import ByteMeter
from remote.transfer.workers import Job, TransferWorkers
from trainer.run.checkpoints.manifest import MANIFEST, FileProof, parse_manifest
from trainer.run.run_errors import CheckpointError

TRIES = 2


class Download:
    """Jobs for a `TransferWorkers`, and what came of them.

    Attributes:
        is_whole: it is here, proven. is_gone: the host has it no more, or another one in its place.
        damage: what did not prove itself, twice; empty otherwise.
    """

    def __init__(
        self, catalog: Catalog, wanted: RemoteCheckpoint, run_folder: Path, meter: ByteMeter
    ) -> None:
        self.wanted = wanted
        self.is_whole = self.is_gone = False
        self.damage = ""
        self._there = f"{catalog.folder}/{wanted.name}"
        self._folder = CheckpointFolder(run_folder, wanted.name)
        self._meter = meter
        self._lock = threading.Lock()
        self._left = 0

    def opening(self, workers: TransferWorkers) -> Job:
        """The first job; it adds the others."""
        return lambda source: self._open(workers, source)

    def tidy(self) -> None:
        """When all jobs are done: what can never become whole is removed here too."""
        if self.is_gone:
            self._folder.forget(self.wanted)

    def _open(self, workers: TransferWorkers, source: FileSource) -> None:
        self._meter.what = self.wanted.name
        try:
            manifest = b"".join(source.read(f"{self._there}/{MANIFEST}", 0, self.wanted.manifest_bytes + 1))
        except GoneError:
            self._lose()
            return
        if hashlib.sha256(manifest).hexdigest() != self.wanted.sha256:
            self._lose()  # replaced since it was listed
            return
        self._demand_files(manifest)
        self._meter.arrived(len(manifest))
        self._folder.claim(manifest)
        missing = self._folder.missing(self.wanted)
        self._left = len(missing)
        workers.add([self._file(workers, name, proof) for name, proof in missing])
        if not missing:
            self._finish()

    def _file(self, workers: TransferWorkers, name: str, proof: FileProof) -> Job:
        damages: list[str] = []

        def fetch(source: FileSource) -> None:
            if self.is_gone or self.damage:
                return
            self._meter.what = f"{self.wanted.name}/{name}"
            target = self._folder.path / name
            try:
                there = f"{self._there}/{name}"
                fetch_file(
                    source, there, target, proof, self._meter, workers.turn, lambda: workers.is_cancelled
                )
            except GoneError:
                self._lose()
                return
            except DamagedError as error:
                damages.append(str(error))
                if len(damages) < TRIES:
                    workers.add([fetch])
                else:
                    self.damage = f"{error}, twice"
                return
            with self._lock:
                self._left -= 1
                is_last = self._left == 0 and not self.is_gone
            if is_last:
                self._finish()

        return fetch

    def _demand_files(self, manifest: bytes) -> None:
        """The manifest itself must name what was listed: only those names were checked."""
        try:
            files = parse_manifest(manifest, self.wanted.name).files
        except CheckpointError as error:
            raise CallError("refused", str(error), "pull another checkpoint") from error
        if dict(files) != dict(self.wanted.files):
            raise CallError("refused", f"the host listed {self.wanted.name} otherwise than its manifest does")

    def _finish(self) -> None:
        self._folder.finish()
        self.is_whole = True

    def _lose(self) -> None:
        with self._lock:
            self.is_gone = True
