"""`alerts watch`: hears every host without a screen, and sends each alert outward, once."""

import argparse
import os
import signal
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from remote.hosts.client_state import client_folder, make_client_folder
from remote.hosts.lookup import load_hosts
from remote.protocol.errors import CallError
from remote.session.last_seen import note
from remote.session.session import Session
from trainer.config.config_error import ConfigError
from trainer.run.locks import Flock
from tui.commands.alerts.watched_hosts import WatchedHosts
from tui.commands.output import OK, emit, say, tell
from tui.notices.channel_bodies import said
from tui.notices.notice import Notice
from tui.notices.notice_journal import NoticeJournal
from tui.notices.notice_sender import NoticeSender, SendReport
from tui.notices.notices_file import EXAMPLE, NoticeSettings, notices_path, read_settings
from tui.operator_files import read_into
from tui.store.store import Store

TICK_S = 0.5
TELEMETRY_S = 10.0
LEAVE_S = 25.0
HISTORY = 500
LOCK = "watch.lock"


def watch(args: argparse.Namespace) -> int:
    """Watch until it is interrupted or ended; what is on its way then is waited for."""
    settings = settings_with_channels()
    with only_sender(), _leave_signals() as leave:
        journal = NoticeJournal()
        for trouble in filter(None, (journal.trouble,)):
            say(f"photinus: {trouble}")
        hosts = load_hosts()
        sessions = {
            host.name: Session(host, telemetry_s=TELEMETRY_S, read_only=True, history=HISTORY)
            for host in hosts
        }
        watched = WatchedHosts(Store(hosts), journal)
        for trouble in read_into(watched.store):
            say(f"photinus: {trouble}")
        sender = NoticeSender(settings, journal)
        names = ", ".join(one.name for one in settings.channels)
        say(f"watching {', '.join(sessions)}; alerts go to {names}")
        _watch(watched, sender, sessions, leave, as_json=args.json)
    return OK


def settings_with_channels() -> NoticeSettings:
    """The settings, which name a channel at least.

    Raises:
        ConfigError: there is none, or the file is at fault.
    """
    settings = read_settings(notices_path())
    if not settings.channels:
        raise ConfigError(
            f"there is no channel in {notices_path()}",
            f"write it (chmod 600), such as:\n\n{EXAMPLE}\n\nthen: photinus alerts test",
        )
    return settings


@contextmanager
def only_sender() -> Iterator[Path]:
    """Be the one sender of this laptop.

    Raises:
        CallError: `already_running`: another is; it is named.
    """
    path = make_client_folder("alerts") / LOCK
    lock = Flock.now(path)
    if lock is None:
        raise CallError(
            "already_running",
            f"another `photinus alerts watch` sends from this machine already{_holder(path)}",
            "one is enough: `photinus alerts list` shows what it sent; end that one first to begin anew",
        )
    with lock:
        os.ftruncate(lock.fd, 0)
        os.pwrite(lock.fd, f"{os.getpid()}\n".encode(), 0)
        yield path


def is_watching() -> bool:
    """Whether a watch sends from this machine now."""
    path = client_folder("alerts", LOCK)
    if not path.exists():
        return False
    lock = Flock.now(path)
    if lock is not None:
        lock.close()
    return lock is None


def _holder(path: Path) -> str:
    with path.open("rb") as file:
        pid = file.read(20).strip()
    return f" (process {int(pid)})" if pid.isdigit() else ""


@contextmanager
def _leave_signals() -> Iterator[threading.Event]:
    """An event that SIGINT and SIGTERM set; a second one acts as it always does."""
    leave = threading.Event()
    before: dict[int, Any] = {}

    def heard(number: int, _: object) -> None:
        leave.set()
        signal.signal(number, before[number])

    before.update({number: signal.signal(number, heard) for number in (signal.SIGINT, signal.SIGTERM)})
    try:
        yield leave
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def _watch(
    watched: WatchedHosts,
    sender: NoticeSender,
    sessions: dict[str, Session],
    leave: threading.Event,
    *,
    as_json: bool,
) -> None:
    trouble = ""
    try:
        for session in sessions.values():
            session.start()
        while not leave.is_set():
            now, wall = time.monotonic(), time.time()
            try:
                for one in sender.add(watched.tick(sessions, now, wall)):
                    _told(one, as_json)
                _report(sender.pump(wall))
                trouble = ""
            except OSError as error:
                if trouble != (trouble := f"{error.strerror or error}"):
                    say(
                        f"photinus: what was told cannot be kept, and nothing is sent until it can: {trouble}"
                    )
            for fault in watched.faults:
                say(f"photinus: {fault}")
            watched.faults.clear()
            leave.wait(TICK_S)
    finally:
        _report(sender.finish(LEAVE_S))
        for session in sessions.values():
            note(session)
            session.close()


def _told(one: Notice, as_json: bool) -> None:
    if as_json:
        emit(one.to_json())
    else:
        tell(f"{time.strftime('%d %b %H:%M:%S', time.localtime(one.at))}  {said(one)}")
        sys.stdout.flush()  # into a file or a journal it is read while the watch goes on


def _report(reports: list[SendReport]) -> None:
    for report in reports:
        done = report.delivery
        if done.progress == "given_up":
            say(f"{report.channel}: given up after {done.tries} tries: {done.said}: {said(report.notice)}")
        elif done.progress == "waiting" and done.tries in (1, 10):
            say(f"{report.channel}: {done.said}; it is tried again")
