"""The token cache: one folder an entry, named by its fingerprint, whole or absent."""

import hashlib
import os
import re
import shutil
from collections.abc import Callable
from pathlib import Path

import msgspec
import numpy as np

from trainer.data.lock_wait import wait_for_lock
from trainer.data.prepared_corpus import TOKEN, TOKENIZER, TRAIN, VAL, Corpus, FileRecord, Meta
from trainer.data.progress import Pulse
from trainer.data.sources.source import TextSource
from trainer.data.stamps import Stamp
from trainer.data.tokenizers.stored import tokenizer_from
from trainer.run.disk.atomic import sync_to_disk
from trainer.run.locks import Flock

META, USED = "meta.json", "used"
ENTRY_NAME = re.compile(r"[0-9a-f]{32}")
STAGING = ".tmp-"
HASH_BYTES = 1 << 20


class TokenCache:
    """Entries below one folder, shared by any number of processes.

    `<fingerprint>/` is an entry, `.tmp-<fingerprint>-<pid>/` one in the making, `locks/` holds one lock a
    builder, `memo/` remembers the content hash of input that has not been touched.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        for part in (folder, folder / "locks", folder / "memo"):
            part.mkdir(mode=0o700, parents=True, exist_ok=True)

    def content_hash(self, source: TextSource, stamp: Stamp, pulse: Pulse) -> str:
        """The source's content hash, from memory where the stamp vouches that nothing was written to."""
        memo = self.folder / "memo" / stamp.digest
        if stamp.settled and memo.exists():
            remembered = memo.read_text("ascii", errors="replace")
            if len(remembered) == 64:
                os.utime(memo)
                return remembered
        content = source.content_hash(pulse)
        if stamp.settled and source.stamp() == stamp:
            draft = memo.with_name(f"{STAGING}{os.getpid()}-{stamp.digest}")
            draft.write_text(content, "ascii")
            draft.replace(memo)
        return content

    def open(self, fingerprint: str, pulse: Pulse) -> Corpus | None:
        """The entry if it is there and every byte of it is as it was written; marks it as used."""
        entry = self.folder / fingerprint
        try:
            in_use = Flock.now(entry / USED, shared=True)
        except FileNotFoundError:
            return None
        if in_use is None:  # being pruned this moment
            return None
        try:
            corpus = _load(entry, fingerprint, in_use, pulse)
            if corpus:
                os.utime(entry / USED)
                return corpus
        except FileNotFoundError:
            pass
        except BaseException:
            in_use.close()
            raise
        in_use.close()
        return None

    def build_lock(self, fingerprint: str, pulse: Pulse) -> Flock:
        """Hold this while building: a second process waits, then finds the entry there."""
        return wait_for_lock(self.lock_path(fingerprint), pulse)

    def lock_path(self, fingerprint: str) -> Path:
        """The lock of an entry's builder."""
        return self.folder / "locks" / f"{fingerprint}.lock"

    def build(self, fingerprint: str, fill: Callable[[Path], None], still_valid: Callable[[], bool]) -> bool:
        """Write an entry: `fill` a fresh folder, sync it, put it in place. Needs the build lock.

        A damaged entry of that name is replaced; who still reads it keeps the file he opened.

        Returns:
            False, and nothing in place, if `still_valid` says that the input changed meanwhile.
        """
        for left_over in self.folder.glob(f"{STAGING}{fingerprint}-*"):
            shutil.rmtree(left_over)
        staging = self.folder / f"{STAGING}{fingerprint}-{os.getpid()}"
        entry = self.folder / fingerprint
        try:
            staging.mkdir(mode=0o700)
            fill(staging)
            (staging / USED).touch(0o600)
            for path in (*staging.iterdir(), staging):
                _sync(path)
            if not still_valid():
                return False
            if entry.exists():
                entry.rename(staging.with_name(f"{staging.name}-damaged"))
            staging.rename(entry)
            _sync(self.folder)
            return True
        finally:
            for rest in self.folder.glob(f"{STAGING}{fingerprint}-*"):
                shutil.rmtree(rest)


def write_meta(folder: Path, meta: Meta) -> None:
    """Write `meta.json`: the record, and on a second line its own SHA-256."""
    line = msgspec.json.encode(meta)
    (folder / META).write_bytes(line + b"\n" + hashlib.sha256(line).hexdigest().encode() + b"\n")


def read_meta(folder: Path) -> Meta | None:
    """The record of an entry; None if it is absent or damaged."""
    try:
        line, seal, rest = (folder / META).read_bytes().split(b"\n")
        if rest or hashlib.sha256(line).hexdigest().encode() != seal:
            return None
        return msgspec.json.decode(line, type=Meta)
    except (FileNotFoundError, ValueError, msgspec.MsgspecError):
        return None


def record(path: Path, pulse: Pulse, stage: str = "verify") -> FileRecord:
    """Length and SHA-256 of a file."""
    digest, done, total = hashlib.sha256(), 0, path.stat().st_size
    with path.open("rb") as file:
        while chunk := file.read(HASH_BYTES):
            digest.update(chunk)
            done += len(chunk)
            pulse.beat(stage, done, total)
    return FileRecord(done, digest.hexdigest())


def _load(entry: Path, fingerprint: str, in_use: Flock, pulse: Pulse) -> Corpus | None:
    meta = read_meta(entry)
    if meta is None or meta.fingerprint != fingerprint or set(meta.files) != {TRAIN, VAL, TOKENIZER}:
        return None
    for name, expected in meta.files.items():
        if (entry / name).stat().st_size != expected.bytes or record(entry / name, pulse) != expected:
            return None
    tokenizer = tokenizer_from((entry / TOKENIZER).read_bytes())
    train, val = (np.memmap(entry / name, TOKEN, "r") for name in (TRAIN, VAL))
    return Corpus(train, val, tokenizer, meta, from_cache=True, _in_use=in_use)


def _sync(path: Path) -> None:
    descriptor = os.open(path, os.O_RDONLY)
    try:
        sync_to_disk(descriptor)
    finally:
        os.close(descriptor)
