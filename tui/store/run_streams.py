"""From the bytes of one followed file to what they say: the edge at which a run's words are parsed."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from trainer.telemetry.events import Event, Resume
from trainer.telemetry.formats.format import Format
from trainer.telemetry.formats.registry import FORMATS
from trainer.telemetry.read import EventReader, decode
from trainer.telemetry.recognise import FileRecogniser
from trainer.telemetry.recogniser import LogRecogniser
from tui.store.log_ring import PIECE
from tui.store.runs import RunRecord

Formats = Sequence[Callable[[], Format]]
TICK = Callable[[], float]


@dataclass(slots=True)
class EventStream:
    """The events file of one run."""

    gen: int = -1
    reader: EventReader = field(default_factory=EventReader)

    def take(self, _run: RunRecord, gen: int, offset: int, data: bytes) -> list[Event]:
        """Events that these bytes complete; a new generation begins anew."""
        if gen != self.gen:
            self.gen, self.reader = gen, EventReader(mid_line=offset > 0)
        return self.reader.feed(data)


@dataclass(slots=True)
class FileStream:
    """The files of metrics of a run that is only watched: CSV, JSON, TensorBoard's, one after the other."""

    wall: TICK
    formats: Formats = FORMATS
    gen: int = -1
    recogniser: FileRecogniser | None = None
    is_new: bool = False

    def take(self, run: RunRecord, gen: int, _offset: int, data: bytes) -> list[Event]:
        """Events that these bytes complete; what a new file tells anew replaces what was told before."""
        ended: list[Event] = []
        if gen != self.gen or self.recogniser is None:
            ended = self.finish()
            if self.recogniser is not None and self.recogniser.is_document:
                run.forget_metrics()
            self.recogniser = FileRecogniser(lambda: self.wall(), self.formats)
            self.gen, self.is_new = gen, True
        events = self.recogniser.feed(data)
        if len(data) < PIECE:  # all that there is for now
            events += self.recogniser.settle()
        run.log_format = self.recogniser.name
        return ended + self._superseding(run, events)

    def finish(self) -> list[Event]:
        """No more of this file will come."""
        return [] if self.recogniser is None else self.recogniser.finish()

    def _superseding(self, run: RunRecord, events: list[Event]) -> list[Event]:
        """The events; before them that the run goes on from an earlier step, where its file does."""
        if not events or not self.is_new:
            return events
        self.is_new, first = False, events[0]
        if run.step is None or first.step is None or first.step > run.step:
            return events
        return [Resume(seq=0, attempt=first.attempt, t=0.0, step=first.step - 1), *events]


@dataclass(slots=True)
class LogStream:
    """The log of one run: lines to look at and, for a user's own command, rows to recognise."""

    wall: TICK
    formats: Formats = FORMATS
    gen: int = -1
    skipping: bool = False
    recogniser: LogRecogniser | None = None
    own: EventReader | None = None  # of a watched file that turns out to hold events of ours

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
        run.log.feed(data, self.wall())
        if run.view.kind != "command":
            return []
        if self.own is not None:
            return self.own.feed(data)
        if self.recogniser is None and run.view.is_watched and not offset and begins_with_event(data):
            self.own, run.log_format = EventReader(), "events"
            return self.own.feed(data)
        if self.recogniser is None:
            self.recogniser = LogRecogniser(lambda: self.wall(), self.formats, live=True)  # as it is then
        events = ended + self.recogniser.feed(data)
        run.log_format, run.axis = self.recogniser.name, self.recogniser.axis
        return events

    def finish(self) -> list[Event]:
        """No more of this file will come: what was kept back, without what was cut."""
        return self.recogniser.end_part() if self.recogniser is not None else []


def metrics_reader(run: RunRecord, formats: Formats) -> EventStream | FileStream:
    """What reads the metrics of a run: our events, or the files of one that is only watched."""
    return FileStream(lambda: 0.0, formats) if run.view.kind == "watched" else EventStream()


def begins_with_event(data: bytes) -> bool:
    """Whether the first line is an event of ours."""
    return data[:1] == b"{" and decode(data.partition(b"\n")[0]) is not None
