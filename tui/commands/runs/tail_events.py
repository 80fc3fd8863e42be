"""`tail` and `events`: a run's own words, byte for byte."""

import argparse
import codecs
import sys
import time
from typing import BinaryIO

from remote.actions.adopt_reap import log_of_process
from remote.protocol.errors import CallError
from remote.protocol.sanitise import clean
from remote.session.link.link_state import HELD
from remote.session.session import Session
from remote.session.updates import Bytes, LinkChanged, StreamBegin, StreamEnd, Update
from tui.commands.find_run import find_view
from tui.commands.host_session import POLL_S, link_to
from tui.commands.output import FAILURE, OK, say
from tui.store.words import size

HELD_MAX = 1 << 16
QUIET_S = 10.0  # then what was asked for without --follow has no end that is worth waiting for
WHOLE = 1 << 53


def tail(args: argparse.Namespace) -> int:
    """The end of a run's log, or of any file of the host, and with --follow what comes."""
    return _copy(args, "log", WHOLE if args.all else args.bytes)


def events(args: argparse.Namespace) -> int:
    """Every event, and with --follow those that come."""
    return _copy(args, "events", WHOLE)


def _follow(session: Session, args: argparse.Namespace, what: str, last: int) -> int:
    """Begin to follow what was named; its key."""
    path, pid = getattr(args, "path", None), getattr(args, "pid", None)
    if sum(given is not None for given in (path, pid, args.run)) != 1:
        raise CallError(
            "bad_request",
            "name a run, or a file with --path, or a process with --pid: one of them",
            "photinus ls lists the runs, photinus processes the processes",
        )
    if pid is not None:
        path = log_of_process(session, pid)
        say(f"photinus: the output of pid {pid} goes to {path}")
    if path is not None:
        return session.watch(path, last=last, goes_on=args.follow)
    view = find_view(session, args.run)
    return session.follow(view.run_id, what, last=last, goes_on=args.follow and not view.is_terminal)


class Screen:
    """A log for eyes: text without anything that would steer the terminal. A pipe gets the bytes instead."""

    def __init__(self) -> None:
        self._decoder = codecs.getincrementaldecoder("utf-8")("replace")
        self._held = ""

    def write(self, data: bytes) -> None:
        """Show the lines that `data` ends; a bar that redraws itself becomes lines."""
        text = self._held + self._decoder.decode(data)
        whole = text.removesuffix("\r")  # its line feed may be on the way
        lines, end, rest = whole.replace("\r\n", "\n").replace("\r", "\n").rpartition("\n")
        self._held = rest + text[len(whole) :]
        sys.stdout.write(clean(lines + end))
        if len(self._held) > HELD_MAX:
            self.flush()

    def flush(self) -> None:
        """Show what has no end yet: nothing came for a moment, or nothing more will."""
        sys.stdout.write(clean(self._held))
        self._held = ""
        sys.stdout.flush()


def _copy(args: argparse.Namespace, what: str, last: int) -> int:
    out: Screen | BinaryIO = Screen() if sys.stdout.isatty() else sys.stdout.buffer
    with link_to(args.host) as session:
        key = _follow(session, args, what, last)
        quiet_since = time.monotonic()
        while True:
            updates = session.drain()
            if any(isinstance(update, Bytes) for update in updates) or not session.link.is_up:
                quiet_since = time.monotonic()
            elif not args.follow and time.monotonic() - quiet_since > QUIET_S:
                raise CallError(
                    "timeout", f"{args.host} sent nothing for {QUIET_S:g} s, and no end", "try again"
                )
            for update in updates:
                if isinstance(update, StreamEnd) and update.key == key:
                    return _over(update, out)
                _put(update, out)
            if updates:
                out.flush()
            else:
                time.sleep(POLL_S)


def _put(update: Update, out: Screen | BinaryIO) -> None:
    if isinstance(update, Bytes):
        out.write(update.data)
    elif isinstance(update, StreamBegin) and update.before:
        say(f"photinus: {size(update.before)} before this are left out: --all prints everything")
    elif isinstance(update, LinkChanged) and update.link.phase in HELD:
        raise CallError("unreachable", update.link.reason, "photinus hosts test HOST")
    elif isinstance(update, LinkChanged) and not update.link.is_up and update.link.phase != "connecting":
        say(f"link {update.link.phase}: {update.link.reason}")


def _over(update: StreamEnd, out: Screen | BinaryIO) -> int:
    out.flush()
    if update.reason:
        say(f"photinus: {update.reason}")
        return FAILURE
    return OK
