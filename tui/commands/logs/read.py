"""`read PATH`: recognise a training log and print what it tells, as it comes."""

import argparse
import time
from collections.abc import Callable, Sequence

from trainer.telemetry.formats.format import Format
from tui.commands.logs.byte_source import STDIN, ByteSource
from tui.commands.logs.printer import EventPrinter
from tui.commands.output import USAGE, say
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
    printer = EventPrinter(lambda: time.time() if source.live else 0.0, formats, as_json=as_json)
    rewritten = 0
    for data in source:
        if source.rewritten != rewritten:
            rewritten = source.rewritten
            printer.anew()
        elif data:
            printer.feed(data)
        else:
            printer.quiet()
    return printer.finish("stdin" if path == STDIN else path)
