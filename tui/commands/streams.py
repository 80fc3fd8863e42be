"""`tail` and `events`: a run's own words, byte for byte."""

import argparse
import sys
import time

from remote.errors import CallError
from remote.updates import Bytes, LinkChanged, StreamEnd, Update
from tui.commands.hearing import POLL_S, find_view, link_to
from tui.commands.output import FAILURE, OK, say


def tail(args: argparse.Namespace) -> int:
    """The end of the log, and with --follow what comes until the run is over."""
    return _copy(args, "log", args.bytes)


def events(args: argparse.Namespace) -> int:
    """Every event, and with --follow those that come."""
    return _copy(args, "events", 1 << 53)


def _copy(args: argparse.Namespace, what: str, last: int) -> int:
    with link_to(args.host) as session:
        view = find_view(session, args.run)
        goes_on = args.follow and not view.is_terminal
        key = session.follow(view.run_id, what, last=last, goes_on=goes_on)
        while True:
            updates = session.drain()
            for update in updates:
                if isinstance(update, StreamEnd) and update.key == key:
                    return _over(update)
                _put(update)
            if updates:
                sys.stdout.buffer.flush()
            else:
                time.sleep(POLL_S)


def _put(update: Update) -> None:
    if isinstance(update, Bytes):
        sys.stdout.buffer.write(update.data)
    elif isinstance(update, LinkChanged) and not update.link.is_up and update.link.phase != "connecting":
        say(f"link {update.link.phase}: {update.link.reason}")
    elif isinstance(update, LinkChanged) and update.link.phase == "refused":
        raise CallError("unreachable", update.link.reason)


def _over(update: StreamEnd) -> int:
    sys.stdout.buffer.flush()
    if update.reason:
        say(f"photinus: {update.reason}")
        return FAILURE
    return OK
