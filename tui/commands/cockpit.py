"""The cockpit itself, and the demo: a live Kuramoto run with the cockpit open on it."""

import argparse
import contextlib
import threading
from pathlib import Path

from remote.actions import StartRequest, settle_intents, start_run
from remote.errors import CallError
from remote.hosts import load_hosts
from remote.session import Session, connect
from trainer.config.resolve import resolve
from tui.commands.hearing import list_views
from tui.commands.output import OK, say, tell

DEMO = "demo"
TELEMETRY_S = 2.0
SETTLE_S = 600.0


def open_cockpit(_: argparse.Namespace) -> int:
    """Open it on every host that is known; it paints before any is reached."""
    return _open()


def demo(args: argparse.Namespace) -> int:
    """Attach to the demo run that is not over, else start one."""
    session = connect()
    try:
        run_id = find_or_start(session, args)
    finally:
        session.close()
    return _open(run_id)


def _open(focus_run: str | None = None) -> int:
    from tui.app import run_cockpit

    sessions = [Session(host, telemetry_s=TELEMETRY_S) for host in load_hosts()]
    for session in sessions:
        threading.Thread(target=settle_once_connected, args=(session,), daemon=True).start()
    tell(run_cockpit(sessions, focus_run))
    return OK


def settle_once_connected(session: Session) -> None:
    """Complete what an earlier client asked of this host and never heard about; runs show what came of it."""
    with contextlib.suppress(CallError):
        session.wait_connected(SETTLE_S)
        settle_intents(session)


def find_or_start(session: Session, args: argparse.Namespace) -> str:
    """The id of the demo run.

    Raises:
        CallError: it could not be started.
    """
    living = [view for view in list_views(session) if view.name == DEMO and not view.is_terminal]
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
        raise CallError(outcome.code, outcome.message, outcome.remedy, outcome.detail)
    return outcome.run.run_id
