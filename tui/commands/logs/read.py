"""`read PATH`: recognise a training log and print what it tells, as it comes."""

import argparse
import sys
import time
from collections.abc import Callable, Sequence

from trainer.telemetry.events import Event
from trainer.telemetry.flat import flatten, json_lines
from trainer.telemetry.formats.format import Format
from trainer.telemetry.recognise import FileRecogniser, known_formats
from tui.commands.logs.byte_source import STDIN, ByteSource
from tui.commands.logs.event_words import in_words
from tui.commands.output import FAILURE, OK, USAGE, json_line, say
from tui.own_formats import formats_at_hand


def read(args: argparse.Namespace) -> int:
    """Events of any log that Photinus knows; 1 where it knows none in it.

    Raises:
        FileNotFoundError: no such file.
    """
    formats, faults = formats_at_hand()
    for fault in faults:
        say(f"photinus: {fault}")
    if faults:
        return USAGE
    return print_events(args.path, formats, as_json=args.json, follow=args.follow)


def print_events(
    path: str, formats: Sequence[Callable[[], Format]], *, as_json: bool, follow: bool = False
) -> int:
    """Print what a file tells, an event a line, and at the end on stderr what was left out; the exit code."""
    source = ByteSource(path, follow=follow)
    reader = FileRecogniser(lambda: time.time() if source.live else 0.0, formats)
    out = sys.stdout.buffer
    named = False
    for data in source:
        events = reader.feed(data)
        if events or not data:
            if reader.name and not named and not as_json:
                named = True
                out.write(f"{reader.name}\n".encode())
            _write(events, as_json=as_json)
            out.flush()
    events = reader.finish()
    if reader.name and not named and not as_json:
        out.write(f"{reader.name}\n".encode())
    _write(events, as_json=as_json)
    out.flush()
    return _close(reader, "stdin" if path == STDIN else path)


def _write(events: Sequence[Event], *, as_json: bool) -> None:
    out = sys.stdout.buffer
    if as_json and sys.stdout.isatty():
        out.writelines(json_line(flatten(event)).encode() for event in events)
    elif as_json:
        out.write(json_lines(events))
    else:
        out.writelines(f"{in_words(event)}\n".encode() for event in events)


def _close(reader: FileRecogniser, name: str) -> int:
    if reader.torn or reader.skipped:
        say(f"{reader.torn} torn and {reader.skipped} malformed or over-long lines were skipped")
    if reader.name:
        return OK
    say(f"photinus: {name}: no known metrics in this log")
    say(
        "  remedy: let it print `step=10 loss=2.31` or one JSON object a line, or describe its lines: "
        "`photinus formats` says how"
    )
    say(f"  known are {', '.join(known_formats())}")
    return FAILURE
