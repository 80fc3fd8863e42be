"""From the bytes of one followed file to what they say: the edge at which a run's words are parsed."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from trainer.telemetry.events import Event
from trainer.telemetry.formats.format import Format
from trainer.telemetry.formats.registry import FORMATS
from trainer.telemetry.read import EventReader
from trainer.telemetry.recogniser import LogRecogniser
from tui.store.runs import RunRecord

Formats = Sequence[Callable[[], Format]]
TICK = Callable[[], float]


@dataclass(slots=True)
class EventStream:
    """The events file of one run."""

    gen: int = -1
    reader: EventReader = field(default_factory=EventReader)

    def take(self, gen: int, offset: int, data: bytes) -> list[Event]:
        """Events that these bytes complete; a new generation begins anew."""
        if gen != self.gen:
            self.gen, self.reader = gen, EventReader(mid_line=offset > 0)
        return self.reader.feed(data)


@dataclass(slots=True)
class LogStream:
    """The log of one run: lines to look at and, for a user's own command, rows to recognise."""

    wall: TICK
    formats: Formats = FORMATS
    gen: int = -1
    skipping: bool = False
    recogniser: LogRecogniser | None = None

    def take(self, run: RunRecord, gen: int, offset: int, data: bytes, file: str) -> list[Event]:
        """Put the lines into the run's ring; events where the run is a command whose format is known."""
        ended: list[Event] = []
        if gen != self.gen:
            if self.gen >= 0:
                run.log.note(f"── {file or f'part {gen}'} ──")
                ended = self.finish()
            self.gen, self.skipping = gen, offset > 0
        if self.skipping:
            cut, newline, data = data.partition(b"\n")
            offset += len(cut) + len(newline)
            self.skipping = not newline
        if file and not self.skipping and not len(run.log) and data:
            run.log.head = (file, offset)
        run.log.feed(data)
        if run.view.kind != "command":
            return []
        if self.recogniser is None:
            self.recogniser = LogRecogniser(lambda: self.wall(), self.formats, live=True)  # as it is then
        events = ended + self.recogniser.feed(data)
        run.log_format, run.axis = self.recogniser.name, self.recogniser.axis
        return events

    def finish(self) -> list[Event]:
        """No more of this file will come: what was kept back, without what was cut."""
        return self.recogniser.end_part() if self.recogniser is not None else []
