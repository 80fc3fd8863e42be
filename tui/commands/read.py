"""`read PATH`: recognise a training log and print its events, one a line."""

import argparse
import sys
from pathlib import Path

from trainer.telemetry.flat import flatten
from trainer.telemetry.recognise import UnrecognisedError, recognise_path
from tui.commands.output import FAILURE, OK, json_line, say


def read(args: argparse.Namespace) -> int:
    """Events of any log that Photinus knows; 1 where it knows none in it.

    Raises:
        FileNotFoundError: no such file.
    """
    try:
        found = recognise_path(Path(args.path))
    except UnrecognisedError as error:
        say(f"photinus: {error}")
        return FAILURE
    for event in found.events:
        sys.stdout.write(json_line(flatten(event)))
    if found.torn or found.skipped:
        say(f"{found.torn} torn and {found.skipped} malformed lines were skipped")
    return OK
