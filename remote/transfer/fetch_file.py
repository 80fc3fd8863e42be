"""One file: into `NAME.part`, from where it stands; proven before it gets its name."""

import contextlib
import errno
import hashlib
import os
import queue
import threading
from collections.abc import Callable
from pathlib import Path

from remote.protocol.errors import CallError
from remote.transfer.large_file_turn import LargeFileTurn
from remote.transfer.safe_names import PART
from remote.transfer.sources import FileSource
from remote.transfer.transfer_progress import ByteMeter
from trainer.run.checkpoints.manifest import FileProof
from trainer.run.disk.atomic import NO_SPACE

CHUNK = 1 << 20
AHEAD = 16  # pieces between the reader of the link and the writer of the disk


class DamagedError(Exception):
    """All bytes are here, and they are not those that the manifest names."""


class CancelledError(Exception):
    """The operator, or a failure elsewhere, ended the pull; parts stay."""


def fetch_file(
    source: FileSource,
    path: str,
    target: Path,
    proof: FileProof,
    meter: ByteMeter,
    turn: LargeFileTurn,
    is_cancelled: Callable[[], bool],
) -> None:
    """Fetch what is missing of a file, prove all of it and give it its name.

    Raises:
        LostError, GoneError: see `FileSource`; what came stays for the next try.
        DamagedError: the proof failed; the part is removed.
        CancelledError
        CallError: `disk_low`, or `refused`: it cannot be read.
    """
    part = target.with_name(target.name + PART)
    try:
        with _Writer(part, proof.bytes, meter) as writer:
            if writer.start < proof.bytes:
                with turn.taken(proof.bytes - writer.start, is_cancelled):
                    for data in source.read(path, writer.start, proof.bytes):
                        writer.put(data)
                        if is_cancelled():
                            raise CancelledError
            writer.finish()
    except OSError as error:
        raise _disk_error(error, part) from error
    size, sha256 = writer.size, writer.sha256
    if size != proof.bytes or sha256 != proof.sha256:
        part.unlink()
        meter.lost(size)
        difference = f"{size} bytes, not {proof.bytes}" if size != proof.bytes else "another SHA-256"
        raise DamagedError(f"{target.parent.name}/{target.name} came with {difference}")
    part.rename(target)


class _Writer:
    """Writes and hashes on a thread of its own, so that neither waits for the link nor holds it up."""

    def __init__(self, part: Path, most: int, meter: ByteMeter) -> None:
        self._meter = meter
        flags = os.O_RDWR | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW
        self._fd = os.open(part, flags, 0o600)
        self._digest = hashlib.sha256()
        self._error: OSError | None = None
        self._box: queue.Queue[bytes | None] = queue.Queue(AHEAD)
        self._thread = threading.Thread(target=self._work, name="photinus-writer", daemon=True)
        try:
            self.start = self.size = self._take_up(most)
        except BaseException:
            os.close(self._fd)
            raise
        self._thread.start()

    def __enter__(self) -> "_Writer":
        return self

    def __exit__(self, *_: object) -> None:
        """What was put is written, whatever ended it: the next try goes on behind it."""
        with contextlib.suppress(OSError):
            self.finish()
        os.close(self._fd)

    @property
    def sha256(self) -> str:
        """Of all bytes, those of earlier tries included."""
        return self._digest.hexdigest()

    def put(self, data: bytes) -> None:
        """Have the next bytes written.

        Raises:
            OSError: the disk refused earlier ones.
        """
        if self._error is not None:
            raise self._error
        self._box.put(data)
        self._meter.arrived(len(data))

    def finish(self) -> None:
        """Wait for the disk.

        Raises:
            OSError: it refused.
        """
        if self._thread.is_alive():
            self._box.put(None)
            self._thread.join()
        if self._error is not None:
            raise self._error

    def _take_up(self, most: int) -> int:
        """Hash what an earlier try left; how much that is."""
        size = os.fstat(self._fd).st_size
        if size > most:
            os.ftruncate(self._fd, 0)
            self._meter.lost(most)  # it was counted up to there
            return 0
        offset = 0
        while data := os.pread(self._fd, CHUNK, offset):
            self._digest.update(data)
            offset += len(data)
        os.lseek(self._fd, offset, os.SEEK_SET)
        return offset

    def _work(self) -> None:
        while (data := self._box.get()) is not None:
            if self._error is not None:
                continue  # the reader is told at its next piece
            try:
                rest = memoryview(data)
                while rest:
                    rest = rest[os.write(self._fd, rest) :]
                self._digest.update(data)
                self.size += len(data)
            except OSError as error:
                self._error = error
        try:
            os.fsync(self._fd)
        except OSError as error:
            self._error = self._error or error


def _disk_error(error: OSError, part: Path) -> CallError:
    if error.errno in NO_SPACE:
        return CallError(
            "disk_low",
            f"the disk of {part.parent} is full",
            "free some space; the next pull goes on from here",
        )
    if error.errno == errno.ELOOP:
        return CallError(
            "refused", f"{part} is a symbolic link", "remove it, or name another place with --to"
        )
    return CallError("refused", f"{part} cannot be written: {error.strerror or error}", "look at that folder")
