"""Text files as a source: one file, or a folder read recursively in sorted order."""

import hashlib
import os
from collections.abc import Iterator
from pathlib import Path

from trainer.data.data_errors import BadFileError, ChangedWhileReadError, DataError
from trainer.data.display_names import shown
from trainer.data.progress import Pulse
from trainer.data.sources.file_formats import READ, suffix_of, texts_of
from trainer.data.sources.source import Document
from trainer.data.sources.text import clean, strip_gutenberg
from trainer.data.stamps import Stamp, stamp_of

FORMAT = "files 1"
HASH_BYTES = 1 << 20
GIVE = "give --data the path of a .txt, .md, .jsonl, .parquet, .gz or .zip file or of a folder of them"


class TextFiles:
    """A path a person gave.

    A bad file given by name is an error; among the files of a folder it is left out and noted.
    """

    whole = False

    def __init__(self, path: Path, text_field: str) -> None:
        self.path = path.expanduser()
        self.name = shown(self.path.name or path)
        self.notes: list[str] = []
        self._text_field = text_field
        self._reader = f"{FORMAT} {text_field}"
        self._files: list[Path] = []

    def stamp(self) -> Stamp:
        """See `Source`."""
        self._files = self._find()
        try:
            return stamp_of(self._files, self.path, self._reader)
        except OSError as error:
            raise ChangedWhileReadError(
                f"{shown(error.filename)} went away", "let it rest, then try again"
            ) from error

    def content_hash(self, pulse: Pulse) -> str:
        """See `Source`."""
        return self.content_hash_as(suffix_of(self.path.name), pulse)

    def content_hash_as(self, suffix: str, pulse: Pulse) -> str:
        """`content_hash`, had a lone file this suffix; a folder's files are known by their own names."""
        digest = hashlib.sha256(self._reader.encode())
        total, done = sum(path.stat().st_size for path in self._files), 0
        for path in self._files:
            # a lone file may be renamed without its text changing, but its suffix says how it is read
            name = str(path.relative_to(self.path)) if path != self.path else suffix
            inner = hashlib.sha256()
            for chunk in _chunks(path):
                pulse.beat("hash", done, total)
                inner.update(chunk)
                done += len(chunk)
            digest.update(name.encode("utf-8", "surrogateescape") + b"\0" + inner.digest())
        return digest.hexdigest()

    def documents(self, pulse: Pulse) -> Iterator[Document]:
        """See `Source`.

        Raises:
            DataError: if a file given by name is no text, or a folder holds none at all.
        """
        self.notes.clear()
        total, done, found = sum(path.stat().st_size for path in self._files), 0, False
        for path in self._files:
            pulse.beat("read", done, total)
            try:
                for raw in texts_of(path, self._text_field):
                    pulse.beat("read", done, total)
                    if text := strip_gutenberg(clean(raw.text)):
                        found = True
                        yield Document(text, where=raw.where)
            except BadFileError as error:
                if path == self.path:
                    raise
                self.notes.append(f"left out: {error}")
            done += path.stat().st_size
        if not found:
            why = f" ({self.notes[0]})" if self.notes else ""
            raise DataError(f"there is no text in {shown(self.path)}{why}", GIVE)

    def _find(self) -> list[Path]:
        if self.path.is_file():
            return [self.path]
        if not self.path.is_dir():
            raise DataError(
                f"there is no file or folder {shown(self.path)}",
                GIVE + ", or name python-docs, recall or corpus:NAME",
            )
        found: list[Path] = []
        for folder, folders, names in os.walk(self.path, onerror=_refuse):
            folders[:] = [name for name in folders if not name.startswith(".")]
            found.extend(Path(folder, name) for name in names if not name.startswith("."))
        readable = [path for path in found if suffix_of(path.name) in READ and path.is_file()]
        if not readable:
            raise DataError(f"there is no text file among the {len(found)} files in {shown(self.path)}", GIVE)
        return sorted(readable, key=lambda path: path.relative_to(self.path).parts)


def _chunks(path: Path) -> Iterator[bytes]:
    try:
        with path.open("rb") as file:
            while chunk := file.read(HASH_BYTES):
                yield chunk
    except OSError as error:
        raise DataError(f"cannot read {shown(path)} ({error.strerror})", "check its permissions") from error


def _refuse(error: OSError) -> None:
    raise DataError(
        f"cannot read the folder {shown(error.filename)} ({error.strerror})", "check its permissions"
    ) from error
