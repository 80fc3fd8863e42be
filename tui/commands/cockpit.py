"""The cockpit itself, and the demo: a live Kuramoto run with the cockpit open on it."""

import argparse
import contextlib
import os
import sys
import threading
import time
from pathlib import Path

from remote.actions import StartRequest, settle_intents, start_run
from remote.hosts.host import LOCAL, Host
from remote.hosts.lookup import load_hosts
from remote.protocol.errors import CallError
from remote.session.last_seen import note
from remote.session.session import Session
from trainer.config.config_error import ConfigError
from trainer.config.resolve import resolve
from tui.commands.browser.served_page import end_with_server
from tui.commands.host_session import link_to
from tui.commands.listed_runs import list_runs
from tui.commands.output import FAILURE, OK, USAGE, say, tell
from tui.kept_place import KeptPlace, page_place

DEMO = "demo"
TELEMETRY_S = 2.0
SETTLE_S = 600.0
ASKED_S = 2.0


def open_cockpit(_: argparse.Namespace) -> int:
    """Open it on every host that is known; it paints before any is reached."""
    if (place := page_place()) is not None:  # a page is its terminal
        end_with_server()
        return _open(place=place)
    return _open() if _has_terminal() else USAGE


def demo(args: argparse.Namespace) -> int:
    """Attach to the demo run that is not over, else start one."""
    if not _has_terminal():
        return USAGE
    with link_to(LOCAL.name) as session:
        run_id = find_or_start(session, args)
    return _open(run_id)


def _has_terminal() -> bool:
    """Whether there is something to paint on; into a pipe it would paint for ever, seen by nobody."""
    if sys.stdin.isatty() and sys.stdout.isatty():
        return not _is_dumb()
    say("photinus: the cockpit needs a terminal for its input and its output")
    say("  remedy: call it by itself in one; for scripts `photinus ls --json` and `photinus show RUN` answer")
    return False


def _is_dumb() -> bool:
    """Whether the terminal cannot move its cursor: the cockpit would be an empty screen."""
    if os.environ.get("TERM", "") not in ("dumb", ""):
        return False
    say("photinus: TERM says that this terminal cannot move its cursor, so the cockpit cannot paint on it")
    say("  remedy: set TERM to what the terminal is (xterm-256color mostly); `photinus ls` needs no cursor")
    return True


def _open(focus_run: str | None = None, place: KeptPlace | None = None) -> int:
    hosts, trouble = known_hosts()
    sessions = [Session(host, telemetry_s=TELEMETRY_S, watches=True) for host in hosts]
    for session in sessions:
        threading.Thread(target=settle_once_connected, args=(session,), daemon=True).start()
    return open_on(sessions, focus_run, trouble, place)


def open_on(
    sessions: list[Session], focus_run: str | None, trouble: str = "", place: KeptPlace | None = None
) -> int:
    """Open the cockpit on these sessions, and on one of their runs; `trouble` is shown in it."""
    message, is_well = run_cockpit(sessions, focus_run, trouble, place)
    for session in sessions:
        note(session)
    tell(message)
    return OK if is_well else FAILURE


def run_cockpit(
    sessions: list[Session],
    focus_run: str | None = None,
    trouble: str = "",
    place: KeptPlace | None = None,
) -> tuple[str, bool]:
    """Open the cockpit on these sessions (not yet started) until `q`.

    Returns the sentence to print last, and whether it ended as it was asked to: a crash has told itself.

    `trouble` is what went wrong before it opened, and is shown in it; `place` is where a page stood, and is
    kept. Sessions are started after the first paint and closed at the end; runs go on.
    """
    from tui.app import Cockpit
    from tui.operator_files import first_steps
    from tui.palette import last_words
    from tui.workers.offline_runs import OfflineRuns

    app = Cockpit(sessions, focus_run)
    app.trouble, app.tour, app.offline = trouble, first_steps(), OfflineRuns()
    if place is not None:
        app.kept_place, app.return_to = place, place.read()
    try:
        message = app.run()
    finally:
        app.pulls.close()
        app.offline.close()
        for session in app.sessions.values():  # those that were added meanwhile too
            session.close()
    return message or last_words(app.store), not app.return_code


def known_hosts() -> tuple[list[Host], str]:
    """Every host, and what is wrong with hosts.yaml: then it is this machine only."""
    try:
        return load_hosts(), ""
    except ConfigError as error:
        return [LOCAL], str(error)


def settle_once_connected(session: Session) -> None:
    """Complete what an earlier client asked of this host and never heard about; runs show what came of it.

    A host that asks something first is waited for: the operator may answer in the cockpit.
    """
    until = time.monotonic() + SETTLE_S
    while (left := until - time.monotonic()) > 0:
        try:
            session.wait_connected(left)
        except CallError:
            time.sleep(ASKED_S)
            continue
        with contextlib.suppress(CallError):
            settle_intents(session)
            note(session)
        return


def find_or_start(session: Session, args: argparse.Namespace) -> str:
    """The id of the demo run.

    Raises:
        CallError: it could not be started.
    """
    live = list_runs(session, finished=0).views
    # a command that somebody called so is no demo of ours
    living = [view for view in live if view.name == DEMO and view.kind == "trainer" and not view.is_terminal]
    if living:
        say(f"the demo run {living[0].run_id} is {living[0].state}: attaching to it")
        return living[0].run_id
    resolved = resolve(args.preset, data=args.data)
    request = StartRequest(
        name=DEMO,
        preset=args.preset,
        config=resolved.values(),
        origins=resolved.origins,
        cwd=str(Path.home()),
    )
    say(f"starting a Kuramoto run ({args.preset}) on {session.host.name}")
    outcome = start_run(session, request)
    if outcome.run is None or not outcome.ok:
        raise outcome.error
    return outcome.run.run_id
