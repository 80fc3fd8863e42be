"""What kind of training file is this? One way in for files and pipes, read once and from the beginning."""

from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Protocol

from trainer.telemetry.events import Event
from trainer.telemetry.formats.event_files.tensorboard import HEADER, EventFile, is_event_file
from trainer.telemetry.formats.format import Format
from trainer.telemetry.formats.generic.json_document import document_rows, parse
from trainer.telemetry.formats.registry import FORMATS
from trainer.telemetry.formats.row import Finding
from trainer.telemetry.formats.row_ledger import RowLedger
from trainer.telemetry.read import EventReader, decode
from trainer.telemetry.recogniser import LogRecogniser

HEAD_LIMIT = 1 << 16
CHUNK = 1 << 16  # four times as much no longer fits a core's own cache, and takes a third longer
DOCUMENT_LIMIT = 64 << 20
_MARK = b"\xef\xbb\xbf"


class UnrecognisedError(ValueError):
    """A file in which no known format was found."""


class Reader(Protocol):
    """Whatever turns the bytes of a file into events."""

    def feed(self, data: bytes) -> list[Event]:
        """Events that `data` completes."""
        ...

    def finish(self) -> list[Event]:
        """The end of the file."""
        ...


class FileRecogniser:
    """A file as bytes, cut anywhere: our own events, TensorBoard's, a JSON document, or a log.

    Attributes:
        name: what was found, empty as long as nothing is known.
        torn: lines or records that were cut.
        skipped: lines that are too long, or of our own events and none.
    """

    def __init__(
        self, clock: Callable[[], float] = lambda: 0.0, formats: Sequence[Callable[[], Format]] = FORMATS
    ) -> None:
        self._clock, self._formats = clock, formats
        self._head = b""
        self._reader: _Events | _Scalars | _Document | _Log | None = None

    @property
    def name(self) -> str:
        """See the class."""
        return self._reader.name if self._reader is not None else ""

    @property
    def torn(self) -> int:
        """See the class."""
        return self._reader.torn if self._reader is not None else 0

    @property
    def skipped(self) -> int:
        """See the class."""
        return self._reader.skipped if self._reader is not None else 0

    def feed(self, data: bytes) -> list[Event]:
        """Events that `data` completes."""
        if self._reader is None:
            self._head += data
            if (reader := self._choose(self._head, last=False)) is None:
                return []
            self._reader, data, self._head = reader, self._head, b""
        return self._reader.feed(data)

    def finish(self) -> list[Event]:
        """The end of the file."""
        events: list[Event] = []
        if self._reader is None:
            self._reader = self._choose(self._head, last=True)
            assert self._reader is not None
            events = self._reader.feed(self._head)
        return events + self._reader.finish()

    def settle(self) -> list[Event]:
        """Nothing came for a moment: a document that is whole as it stands tells its rows, once.

        What comes after it is another document: see `is_document`. An event file tells the step it is at.
        """
        if self._reader is None and self._head.strip():
            whole = self._choose(self._head, last=True)
            if isinstance(whole, _Document):
                self._reader, data, self._head = whole, self._head, b""
                whole.feed(data)
        return self._reader.settle() if isinstance(self._reader, _Document | _Scalars) else []

    @property
    def is_document(self) -> bool:
        """Whether the file is one JSON document, which whoever changes it writes anew."""
        return isinstance(self._reader, _Document) and not self._reader.is_log

    def _choose(self, head: bytes, *, last: bool) -> "_Events | _Scalars | _Document | _Log | None":
        """The reader for a file that begins so, None until that can be told."""
        enough = last or len(head) >= HEAD_LIMIT
        if not enough and len(head) < HEADER:
            return None
        if is_event_file(head):
            return _Scalars(self._clock)
        begun = head.removeprefix(_MARK).lstrip()
        if begun[:1] not in (b"{", b"["):
            return _Log(self._clock, self._formats)
        lines = begun.split(b"\n")
        if len(lines) < 2 and not enough:
            return None
        if any(decode(line) is not None for line in lines[: 64 if enough else -1] if line.strip()):
            return _Events()
        if _begins_document(begun, lines[0], alone=last and not any(map(bytes.strip, lines[1:]))):
            return _Document(self._clock, self._formats)
        return _Log(self._clock, self._formats)


def _begins_document(begun: bytes, first: bytes, *, alone: bool) -> bool:
    """Whether the first line opens an object or a list that goes on, or holds one that is a history."""
    inside = begun[1:].lstrip()[:1]
    if inside not in ((b'"', b"}") if begun[:1] == b"{" else (b"{", b"]")):
        return False
    try:
        document = parse(first)
    except ValueError:
        return True
    return alone or bool(document_rows(document)[0])


class _Events:
    """Our own events.jsonl."""

    name = "events"

    def __init__(self) -> None:
        self._reader = EventReader()

    @property
    def torn(self) -> int:
        return self._reader.torn

    @property
    def skipped(self) -> int:
        return self._reader.malformed

    def feed(self, data: bytes) -> list[Event]:
        return self._reader.feed(data.removeprefix(_MARK))

    def finish(self) -> list[Event]:
        return self._reader.finish()


class _Scalars:
    """TensorBoard's event file."""

    def __init__(self, clock: Callable[[], float]) -> None:
        self._file = EventFile()
        self._ledger = RowLedger(clock)
        self.name = ""

    @property
    def torn(self) -> int:
        return self._file.torn

    skipped = 0

    def feed(self, data: bytes) -> list[Event]:
        return self._take(self._file.feed(data))

    def settle(self) -> list[Event]:
        return self._take(self._file.settle())

    def finish(self) -> list[Event]:
        return self._take(self._file.finish())

    def _take(self, findings: list[Finding]) -> list[Event]:
        events = self._ledger.take(findings)
        if events:
            self.name = EventFile.name
        return events


class _Log:
    """Lines."""

    def __init__(self, clock: Callable[[], float], formats: Sequence[Callable[[], Format]]) -> None:
        self._log = LogRecogniser(clock, formats)

    @property
    def name(self) -> str:
        return self._log.name

    @property
    def torn(self) -> int:
        return self._log.torn

    @property
    def skipped(self) -> int:
        return self._log.blocks.overlong

    def feed(self, data: bytes) -> list[Event]:
        return self._log.feed(data)

    def finish(self) -> list[Event]:
        return self._log.finish()


class _Document:
    """A JSON document, kept until its end; what turns out to be none, or is too large, is read as a log."""

    torn = 0
    skipped = 0

    def __init__(self, clock: Callable[[], float], formats: Sequence[Callable[[], Format]]) -> None:
        self.name = ""
        self._ledger = RowLedger(clock)
        self._parts: list[bytes] = []
        self._size = 0
        self._tried = 0
        self._log = _Log(clock, formats)
        self._has_rows = False
        self.is_log = False

    def feed(self, data: bytes) -> list[Event]:
        if self.is_log:
            return self._as_log(data)
        if self._has_rows:
            return []
        self._parts.append(data)
        self._size += len(data)
        return self._as_log(self._all()) if self._size > DOCUMENT_LIMIT else []

    def settle(self) -> list[Event]:
        if self.is_log or self._has_rows or self._size == self._tried:
            return []
        if not self._parts or self._parts[-1].rstrip()[-1:] not in (b"}", b"]"):
            return []
        self._tried = self._size
        return self._rows(b"".join(self._parts))

    def finish(self) -> list[Event]:
        if self.is_log:
            return self._as_log(b"") + self._log.finish()
        if self._has_rows:
            return []
        data = self._all()
        if events := self._rows(data):
            return events
        events = self._as_log(data) + self._log.finish()
        self.name = self._log.name
        return events

    def _rows(self, data: bytes) -> list[Event]:
        """Rows of the document, where it is whole."""
        try:
            self.name, rows = document_rows(parse(data.removeprefix(_MARK)))
        except ValueError:
            return []
        self._has_rows = bool(rows)
        return self._ledger.take(rows)

    def _all(self) -> bytes:
        data, self._parts = b"".join(self._parts), []
        return data

    def _as_log(self, data: bytes) -> list[Event]:
        self.is_log = True
        events = self._log.feed(data)
        self.name = self._log.name
        return events


def known_formats(formats: Sequence[Callable[[], Format]] = FORMATS) -> list[str]:
    """What can be read, for a sentence."""
    logs = [make().name for make in formats]
    return ["events.jsonl of a run", *logs, "JSON histories", "trainer_state.json", "TensorBoard event files"]


def events_of(path: Path) -> Iterator[Event]:
    """Every event of a file, in order, in memory that does not grow with it.

    Raises:
        UnrecognisedError: none of the known formats; the message lists them.
        OSError: the file cannot be read.
    """
    reader = FileRecogniser()
    with path.open("rb", buffering=0) as file:
        while data := file.read(CHUNK):
            yield from reader.feed(data)
    yield from reader.finish()
    if not reader.name:
        raise UnrecognisedError(f"{path}: no known training log. Known are {', '.join(known_formats())}")
