"""`alerts watch`: hears every host without a screen, and sends each alert outward, once."""

import argparse
import os
import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from remote.hosts.client_state import client_folder, make_client_folder
from remote.hosts.lookup import load_hosts
from remote.protocol.errors import CallError
from trainer.run.locks import Flock, is_free
from tui.commands.alerts.watch_loop import WatchLoop
from tui.commands.alerts.watched_hosts import WatchedHosts
from tui.commands.output import OK, say
from tui.notices.notice_journal import NoticeJournal
from tui.notices.notice_sender import NoticeSender
from tui.notices.notices_file import read_channels
from tui.operator_files import read_into
from tui.store.store import Store

LOCK = "watch.lock"


def watch(args: argparse.Namespace) -> int:
    """Watch until it is interrupted or ended; what is on its way then is waited for."""
    settings = read_channels()
    with only_sender(), _leave_signals() as leave:
        journal = NoticeJournal()
        if journal.trouble:
            say(f"photinus: {journal.trouble}")
        hosts = load_hosts()
        watched = WatchedHosts(Store(hosts), journal)
        for trouble in read_into(watched.store):
            say(f"photinus: {trouble}")
        sender = NoticeSender(settings, journal)
        channels = ", ".join(one.name for one in settings.channels)
        say(f"watching {', '.join(host.name for host in hosts)}; alerts go to {channels}")
        WatchLoop(hosts, watched, sender, as_json=args.json).run(leave)
    return OK


@contextmanager
def only_sender() -> Iterator[Path]:
    """Be the one sender of this laptop.

    Raises:
        CallError: `already_running`: another is; it is named.
    """
    path = make_client_folder("alerts") / LOCK
    lock = Flock(path)
    if not lock.take():  # whoever only asks holds it for a moment
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
    return not is_free(client_folder("alerts", LOCK))


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
