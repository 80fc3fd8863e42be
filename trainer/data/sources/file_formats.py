"""One file to the texts in it: plain, JSON lines, Parquet, gzip or zip."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

import msgspec

from trainer.data.data_errors import BadFileError
from trainer.data.display_names import shown
from trainer.data.sources.decompress import Allowance, Bounds, TooMuchError, gunzip, members, unzip
from trainer.data.sources.parquet import rows_of
from trainer.data.sources.text import decode

PLAIN = frozenset({".txt", ".text", ".md", ".markdown", ".rst"})
READ = PLAIN | {".jsonl", ".parquet", ".gz", ".zip"}
GIVE = "give .txt, .md, .jsonl, .parquet, .gz, .zip or a folder of them"

Complain = Callable[[BadFileError], None]


@dataclass(frozen=True, slots=True)
class RawText:
    """One text as a file holds it, and where: `book.txt`, `books.zip/a.txt`, `rows.jsonl:17`."""

    where: str
    text: str


def suffix_of(name: str) -> str:
    """The last suffix in lower case: `.jsonl` of `Books.JSONL`."""
    return PurePosixPath(name).suffix.lower()


def texts_of(
    path: Path, text_field: str, complain: Complain | None = None, bounds: Bounds | None = None
) -> Iterator[RawText]:
    """Raw texts of one file, in order, with the places where they lie. An unknown suffix is plain text.

    Args:
        path: The file.
        text_field: The key of the text in JSON lines; its column in Parquet.
        complain: Told of a bad line or member, whose siblings are then read all the same; without it a bad
            part is the whole file's fault.
        bounds: How much it may unpack to.

    Raises:
        BadFileError: if it cannot be read as what its name says it is.
    """
    try:
        raw = path.read_bytes()
    except OSError as error:
        raise BadFileError(
            f"cannot read {shown(path)} ({error.strerror})", "check that it exists and may be read"
        ) from error
    yield from _Reader(text_field, complain, Allowance(len(raw), bounds or Bounds())).texts(raw, str(path), 0)


@dataclass(frozen=True, slots=True)
class _Reader:
    text_field: str
    complain: Complain | None
    allowance: Allowance

    def texts(self, raw: bytes, name: str, depth: int) -> Iterator[RawText]:
        kind = suffix_of(name)
        if kind in (".gz", ".zip"):
            self.allowance.enter(depth + 1, name)
        if kind == ".gz":
            yield from self.texts(gunzip(raw, name, self.allowance), name[: -len(".gz")], depth + 1)
        elif kind == ".zip":
            yield from self._members(raw, name, depth + 1)
        elif kind == ".jsonl":
            yield from self._lines(decode(raw, shown(name)), name)
        elif kind == ".parquet":
            for number, text in rows_of(raw, name, self.text_field, self.allowance):
                yield RawText(f"{name}:{number}", text)
        else:
            yield RawText(name, decode(raw, shown(name)))

    def _members(self, raw: bytes, name: str, depth: int) -> Iterator[RawText]:
        wanted = [member for member in members(raw, name) if suffix_of(member.filename) in READ]
        if not wanted:
            raise BadFileError(f"{shown(name)} holds no text file", GIVE)
        for member, content in zip(wanted, unzip(raw, name, wanted, self.allowance), strict=True):
            try:
                if isinstance(content, BadFileError):
                    raise content
                yield from self.texts(content, f"{name}/{member.filename}", depth)
            except TooMuchError:
                raise
            except BadFileError as error:
                self._bad(error)

    def _lines(self, text: str, name: str) -> Iterator[RawText]:
        found = False
        for number, line in enumerate(text.split("\n"), start=1):
            if not line.strip():
                continue
            found = True
            try:
                yield RawText(f"{name}:{number}", self._record(line, f"{shown(name)} line {number}"))
            except BadFileError as error:
                self._bad(error)
        if not found:
            raise BadFileError(f"{shown(name)} holds no records", "put one JSON object on each line")

    def _record(self, line: str, where: str) -> str:
        try:
            record = msgspec.json.decode(line)
        except (msgspec.DecodeError, UnicodeEncodeError, RecursionError) as error:
            raise BadFileError(f"{where} is not JSON ({error})", "one JSON object a line") from error
        text = record.get(self.text_field) if isinstance(record, dict) else None
        if isinstance(text, str):
            return text
        keys = ", ".join(sorted(map(str, record))) if isinstance(record, dict) else "no object"
        raise BadFileError(
            f"{where} has no text under {self.text_field!r} (it has: {shown(keys)})",
            "name the key of the text with data.text_field (`corpus`: --field)",
        )

    def _bad(self, error: BadFileError) -> None:
        if self.complain is None:
            raise error
        self.complain(error)
