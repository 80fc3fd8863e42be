"""What a file tells, printed as it comes: an event a line, in words or as JSON."""

import sys
from collections.abc import Callable, Sequence

from trainer.telemetry.events import Event
from trainer.telemetry.flat import flatten, json_lines
from trainer.telemetry.formats.format import Format
from trainer.telemetry.recognise import FileRecogniser, known_formats
from tui.commands.logs.event_words import in_words
from tui.commands.output import FAILURE, OK, json_line, say


class EventPrinter:
    """Bytes of one file in, lines on stdout. Whatever was printed has left this process."""

    def __init__(
        self, clock: Callable[[], float], formats: Sequence[Callable[[], Format]], *, as_json: bool
    ) -> None:
        self._clock, self._formats = clock, formats
        self._reader = FileRecogniser(clock, formats)
        self._as_json = as_json
        self._named = False
        self._torn = self._skipped = 0
        self._printed: set[tuple[str, int | None]] | None = None

    def feed(self, data: bytes) -> None:
        """Print what these bytes complete."""
        if events := self._reader.feed(data):
            self._put(events)

    def quiet(self) -> None:
        """Nothing came for a moment: print what a document has that is whole by now."""
        self._put(self._reader.settle())

    def anew(self) -> None:
        """The file was cut or replaced: a log goes on, a document is another one, told where it differs."""
        if self._reader.is_document:
            self._reader = FileRecogniser(self._clock, self._formats)
            self._printed = self._printed or set()
        else:
            self.feed(b"\n")  # a line that was begun before does not go on

    def next_file(self) -> None:
        """One file is over; another of the same run may follow."""
        self._put(self._reader.finish())
        self._torn += self._reader.torn
        self._skipped += self._reader.skipped
        self._reader = FileRecogniser(self._clock, self._formats)

    def finish(self, name: str) -> int:
        """The end; say what was left out, and answer whether anything was known: the exit code."""
        self._put(self._reader.finish())
        torn, skipped = self._torn + self._reader.torn, self._skipped + self._reader.skipped
        if torn or skipped:
            say(f"{torn} torn and {skipped} malformed or over-long lines were skipped")
        if self._reader.name or self._named:
            return OK
        say(f"photinus: {name}: no known metrics in this log")
        say(
            "  remedy: let it print `step=10 loss=2.31` or one JSON object a line, or describe its lines: "
            "`photinus formats` says how"
        )
        say(f"  known are {', '.join(known_formats())}")
        return FAILURE

    def _put(self, events: Sequence[Event]) -> None:
        out = sys.stdout.buffer
        if self._reader.is_document:
            printed = self._printed = self._printed or set()
            events = [event for event in events if _mark(event) not in printed]
            printed.update(map(_mark, events))
        if self._reader.name and not self._named:
            self._named = True
            if not self._as_json:
                out.write(f"{self._reader.name}\n".encode())
        if self._as_json and sys.stdout.isatty():
            out.writelines(json_line(flatten(event)).encode() for event in events)
        elif self._as_json:
            out.write(json_lines(events))
        else:
            out.writelines(f"{in_words(event)}\n".encode() for event in events)
        out.flush()


def _mark(event: Event) -> tuple[str, int | None]:
    """Which row of a document an event is: it is not told again when the document is written anew."""
    return type(event).__name__, event.step
