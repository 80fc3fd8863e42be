"""`tail` and `events`: a run's own words, byte for byte."""

import argparse
import codecs
import sys
import time
from collections.abc import Iterator, Sequence
from typing import BinaryIO

from remote.actions.adopt_reap import log_of_process
from remote.actions.kept.keep import ask
from remote.protocol.arguments import PingArgs
from remote.protocol.errors import CallError
from remote.protocol.keeping import LogFile, LogTimesArgs
from remote.protocol.sanitise import clean
from remote.protocol.verbs import LOG_TIMES, PING
from remote.session.link.link_state import HELD
from remote.session.session import Session
from remote.session.updates import Bytes, LinkChanged, StreamBegin, StreamEnd, Update
from tui.commands.arguments import moment
from tui.commands.find_run import find_view
from tui.commands.host_session import POLL_S, link_to
from tui.commands.output import FAILURE, OK, say
from tui.store.words import size

HELD_MAX = 1 << 16
QUIET_S = 10.0  # then what was asked for without --follow has no end that is worth waiting for
WHOLE = 1 << 53


def tail(args: argparse.Namespace) -> int:
    """The end of a run's log, or of any file of the host, and with --follow what comes."""
    if args.attempt is not None or args.since is not None:
        return tail_parts(args)
    return _copy(args, "log", WHOLE if args.all else args.bytes)


def tail_parts(args: argparse.Namespace) -> int:
    """What an attempt printed, or what came after a time; by what the supervisor noted beside the log.

    Raises:
        CallError: `bad_request`; or `not_found`: nothing of the log is known to be of then.
    """
    if args.follow or args.path or args.pid or args.run is None:
        why = "--attempt and --since are for what a run has printed"
        raise CallError("bad_request", why, "name a run, and leave out --follow, --path and --pid")
    out: Screen | BinaryIO = Screen() if sys.stdout.isatty() else sys.stdout.buffer
    with link_to(args.host) as session:
        view = find_view(session, args.run)
        listed = ask(
            session, LOG_TIMES, LogTimesArgs(run_id=view.run_id, since=since_when(session, args.since))
        )
        parts = list(parts_of(listed.files, args.attempt, is_timed=args.since is not None))
        if not parts:
            known = sorted({file.attempt for file in listed.files if file.attempt is not None})
            had = f"; it had {', '.join(map(str, known[-8:]))}" if known else ""
            what = (
                f"{view.run_id} has no attempt {args.attempt} of which anything is known to be printed{had}"
                if args.attempt is not None and args.attempt not in known
                else f"no line of {view.run_id} is known to be of then"
            )
            raise CallError("not_found", what, f"photinus tail --all {view.run_id}")
        for one in parts:
            last = one.bytes - one.since
            code = _drained(
                args, session, session.watch(f"{listed.dir}/{one.file}", last=last, goes_on=False), out
            )
            if code != OK:
                return code
    return OK


def since_when(session: Session, since: str | None) -> float:
    """The moment by the host's clock; 0: the beginning.

    Raises:
        CallError: `bad_request`: it is no time.
    """
    if since is None:
        return 0.0
    try:
        ago, at = moment(since)
    except argparse.ArgumentTypeError as error:
        raise CallError("bad_request", f"--since: {error}", "30m, 8h, 2d, or 2026-11-30T09:00") from error
    return at or max(0.0, session.call(PING, PingArgs(n=0)).wall - ago)


def parts_of(files: Sequence[LogFile], attempt: int | None, *, is_timed: bool) -> Iterator[LogFile]:
    """The files that hold some of it; of which nothing was noted is said, and left out."""
    if len(files) == 1 and attempt == 1 and not is_timed and files[0].attempt is None:
        yield files[0]  # the only one is of the first
        return
    for one in files:
        if one.attempt is None:
            say(f"photinus: {one.file}: attempt and times are unknown: an older Photinus began it")
        elif (attempt is None or one.attempt == attempt) and one.since < one.bytes:
            yield one


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
        return _drained(args, session, _follow(session, args, what, last), out)


def _drained(args: argparse.Namespace, session: Session, key: int, out: Screen | BinaryIO) -> int:
    """Print a stream to its end."""
    quiet_since = time.monotonic()
    while True:
        updates = session.drain()
        if any(isinstance(update, Bytes) for update in updates) or not session.link.is_up:
            quiet_since = time.monotonic()
        elif not args.follow and time.monotonic() - quiet_since > QUIET_S:
            raise CallError("timeout", f"{args.host} sent nothing for {QUIET_S:g} s, and no end", "try again")
        for update in updates:
            if isinstance(update, StreamEnd) and update.key == key:
                return _over(update, out)
            if not (
                args.command == "tail" and getattr(args, "since", None) and isinstance(update, StreamBegin)
            ):
                _put(update, out)  # of what was asked for by its time nothing is left out
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
