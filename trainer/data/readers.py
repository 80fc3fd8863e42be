"""One file to the texts in it: plain, JSON lines, gzip or zip."""

import gzip
import io
import zipfile
import zlib
from collections.abc import Callable, Iterator
from pathlib import Path, PurePosixPath

import msgspec

from trainer.data.errors import BadFileError
from trainer.data.text import decode

PLAIN = frozenset({".txt", ".text", ".md", ".markdown", ".rst"})
READ = PLAIN | {".jsonl", ".gz", ".zip"}
GIVE = "give .txt, .md, .jsonl, .gz, .zip or a folder of them"


def suffix_of(name: str) -> str:
    """The last suffix in lower case: `.jsonl` of `Books.JSONL`."""
    return PurePosixPath(name).suffix.lower()


def texts_of(path: Path, text_field: str) -> Iterator[str]:
    """Raw texts of one file, in order. An unknown suffix is read as plain text.

    Raises:
        BadFileError: if it cannot be read as what its name says it is.
    """
    try:
        raw = path.read_bytes()
    except OSError as error:
        raise BadFileError(
            f"cannot read {path} ({error.strerror})", "check that it exists and may be read"
        ) from error
    yield from _texts(raw, str(path), text_field)


def _texts(raw: bytes, name: str, text_field: str) -> Iterator[str]:
    reader = _READERS.get(suffix_of(name))
    if reader:
        yield from reader(raw, name, text_field)
    else:
        yield decode(raw, name)


def _gzip(raw: bytes, name: str, text_field: str) -> Iterator[str]:
    try:
        unpacked = gzip.decompress(raw)
    except (OSError, EOFError, zlib.error) as error:
        raise BadFileError(f"{name} is a broken gzip file ({error})", "fetch or pack it again") from error
    yield from _texts(unpacked, name[: -len(".gz")], text_field)


def _zip(raw: bytes, name: str, text_field: str) -> Iterator[str]:
    try:
        with zipfile.ZipFile(io.BytesIO(raw)) as archive:
            members = sorted(info.filename for info in archive.infolist() if suffix_of(info.filename) in READ)
            if not members:
                raise BadFileError(f"{name} holds no text file", GIVE)
            for member in members:
                yield from _texts(archive.read(member), f"{name}/{member}", text_field)
    except (zipfile.BadZipFile, EOFError, zlib.error, NotImplementedError) as error:
        raise BadFileError(f"{name} is a broken zip file ({error})", "fetch or pack it again") from error
    except RuntimeError as error:  # how zipfile says that a member is encrypted
        raise BadFileError(
            f"{name} cannot be unpacked ({error})", "unpack it yourself and give the folder"
        ) from error


def _jsonl(raw: bytes, name: str, text_field: str) -> Iterator[str]:
    found = False
    for number, line in enumerate(decode(raw, name).split("\n"), start=1):
        if not line.strip():
            continue
        try:
            record = msgspec.json.decode(line)
        except msgspec.DecodeError as error:
            raise BadFileError(
                f"{name} line {number} is not JSON ({error})", "one JSON object a line"
            ) from error
        text = record.get(text_field) if isinstance(record, dict) else None
        if not isinstance(text, str):
            keys = ", ".join(sorted(map(str, record)))[:200] if isinstance(record, dict) else "no object"
            raise BadFileError(
                f"{name} line {number} has no text under {text_field!r} (it has: {keys})",
                "name the key of the text with --set data.text_field=KEY",
            )
        found = True
        yield text
    if not found:
        raise BadFileError(f"{name} holds no records", "put one JSON object on each line")


_READERS: dict[str, Callable[[bytes, str, str], Iterator[str]]] = {
    ".gz": _gzip,
    ".zip": _zip,
    ".jsonl": _jsonl,
}
