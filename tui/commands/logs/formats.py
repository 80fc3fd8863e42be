"""`formats`: which formats of logs are known, and whether one's own finds what it should."""

import argparse
from collections.abc import Callable

from remote.hosts.client_state import client_folder
from trainer.telemetry.formats.registry import FORMATS
from tui.commands.arguments import Commands, add_bare_command
from tui.commands.logs.read import print_events
from tui.commands.output import OK, USAGE, answer, say
from tui.own_formats import formats_at_hand

HOW = r"""Your own: a file in {folder}, such as mine.yaml:

  contains: "err="                # every line of the format holds it
  rows:
    train: 'it (?P<step>\d+)/(?P<total>\d+) err=(?P<loss>\S+) lr=(?P<lr>\S+)'
  scores:
    held out: 'test (?P<step>\d+) acc=(?P<val_acc>\S+)'

Try it: photinus formats try FILE"""


def formats(args: argparse.Namespace) -> int:
    """List the formats, or read a file by one's own alone."""
    known, faults = formats_at_hand()
    for fault in faults:
        say(f"photinus: {fault}")
    if faults and args.what == "try":
        return USAGE
    own = known[: len(known) - len(FORMATS)]
    if args.what == "try":
        if not own:
            say(f"photinus: there is no format of your own in {client_folder('formats')}")
            say(
                "  remedy: `photinus formats` shows what one looks like; `photinus read` reads the known ones"
            )
            return USAGE
        return print_events(args.path, own, as_json=args.json)
    rows = [
        {"name": one.name, "example": one.example, "own": make in own} for make in known for one in [make()]
    ]
    answer(rows, args.json, _in_words)
    return USAGE if faults else OK


def _in_words(rows: list[dict[str, str]]) -> str:
    width = max(len(row["name"]) for row in rows)
    listed = [f"{row['name']:{width}}  {row['example'] or '(your own)'}" for row in rows]
    return "\n".join([*listed, "", HOW.replace("{folder}", str(client_folder("formats")))])


def add_to(commands: "Commands[argparse.ArgumentParser]") -> None:
    """Declare the command."""
    parser = add_bare_command(commands, "formats", "list the formats of logs that are known, or try your own")
    what = parser.add_subparsers(dest="what", metavar="WHAT")
    listing = what.add_parser("list", help="the formats (also without a word)")
    trial = what.add_parser(
        "try", help="read a file by your own formats alone: exit code 1 where they find nothing"
    )
    trial.add_argument("path", help="a log file, or - for stdin")
    for one in (listing, trial):
        one.add_argument("--json", action="store_true", default=argparse.SUPPRESS, help="JSON on stdout")
    parser.set_defaults(what="list")


COMMANDS: dict[str, Callable[[argparse.Namespace], int]] = {"formats": formats}
