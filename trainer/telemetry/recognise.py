"""What kind of training log is this? One entry point for files, and one for a log that is still growing."""

import codecs
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from trainer.telemetry.events import Event
from trainer.telemetry.kssm_table import KssmTable
from trainer.telemetry.read import EventReader

SNIFF = 64 * 1024
CHUNK = 1 << 20


class UnrecognisedError(ValueError):
    """A file in which no known format was found."""


@dataclass(frozen=True, slots=True)
class Recognised:
    """A file's events in order.

    Attributes:
        format: `events` (our own events.jsonl) or `kssm-v3` (the table).
        torn: lines cut short.
        skipped: lines of our own format that were no event.
    """

    format: str
    events: list[Event]
    torn: int
    skipped: int


class LogRecogniser:
    """A growing log as bytes, cut anywhere: its K-SSM rows as events; text that is no such row gives none.

    Attributes:
        table: the recogniser beneath, with its counts.
    """

    def __init__(self, clock: Callable[[], float] = lambda: 0.0) -> None:
        self.table = KssmTable(clock)
        self._decoder = codecs.getincrementaldecoder("utf-8")("replace")
        self._rest = ""

    def feed(self, data: bytes) -> list[Event]:
        """Events of every line that `data` completes."""
        text = self._rest + self._decoder.decode(data)
        *whole, self._rest = text.split("\n")
        if len(self._rest) > CHUNK:
            self._rest = ""
        feed = self.table.feed
        return [event for line in whole for event in feed(line.rstrip("\r"))]

    def finish(self) -> list[Event]:
        """The end of the log."""
        rest, self._rest = self._rest + self._decoder.decode(b"", final=True), ""
        return self.table.finish(rest.rstrip("\r"))


def recognise_path(path: Path) -> Recognised:
    """Read a training log of a known format.

    Raises:
        UnrecognisedError: none of the known formats; the message lists them.
        OSError: the file cannot be read.
    """
    with path.open("rb") as file:
        head = file.read(SNIFF)
    return _read_events(path) if _looks_like_events(head) else _read_table(path)


def _looks_like_events(head: bytes) -> bool:
    for line in head.split(b"\n"):
        if line.strip():
            return line.lstrip().startswith(b"{") and any(
                EventReader().feed(candidate + b"\n") for candidate in head.split(b"\n")[:50]
            )
    return False


def _read_events(path: Path) -> Recognised:
    reader = EventReader()
    events: list[Event] = []
    with path.open("rb") as file:
        while data := file.read(CHUNK):
            events += reader.feed(data)
    events += reader.finish()
    return Recognised("events", events, reader.torn, reader.malformed)


def _read_table(path: Path) -> Recognised:
    log = LogRecogniser()
    events: list[Event] = []
    with path.open("rb") as file:
        while data := file.read(CHUNK):
            events += log.feed(data)
    events += log.finish()
    if not log.table.seen:
        raise UnrecognisedError(
            f"{path}: no known training log. Known are events.jsonl of a run, and the K-SSM v3 table "
            "(step | total | ce | reg | R | u_val | grad_norm)"
        )
    return Recognised("kssm-v3", events, log.table.torn, 0)
