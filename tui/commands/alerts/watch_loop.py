"""The watch at work: hosts heard, notices sent, files of the operator read again when they change."""

import sys
import threading
import time
from collections.abc import Iterable
from pathlib import Path

from remote.hosts.host import Host
from remote.hosts.hosts_file import hosts_path
from remote.hosts.lookup import load_hosts
from remote.session.last_seen import note
from remote.session.session import Session
from trainer.config.config_error import ConfigError
from tui.commands.alerts.watched_hosts import WatchedHosts
from tui.commands.output import emit, say, tell
from tui.notices.channel_bodies import said
from tui.notices.notice import Notice
from tui.notices.notice_sender import NoticeSender, SendReport
from tui.notices.notices_file import notices_path, read_channels

TICK_S = 0.5
TELEMETRY_S = 10.0
LEAVE_S = 25.0
FILES_S = 5.0
HISTORY = 500


class WatchLoop:
    """Begin it with the hosts; `run` returns when it is told to leave."""

    def __init__(
        self, hosts: Iterable[Host], watched: WatchedHosts, sender: NoticeSender, *, as_json: bool
    ) -> None:
        self._watched, self._sender, self._as_json = watched, sender, as_json
        self.sessions: dict[str, Session] = {}
        self._files = {path: _stamp(path) for path in (notices_path(), hosts_path())}
        self._looked = time.monotonic()
        self._trouble = ""
        for host in hosts:
            self._add(host)

    def run(self, leave: threading.Event) -> None:
        """Until `leave` is set; what is on its way then is waited for."""
        try:
            while not leave.wait(TICK_S):
                self._turn(time.monotonic(), time.time())
        finally:
            _report(self._sender.finish(LEAVE_S))
            for session in self.sessions.values():
                note(session)
                session.close()

    def _turn(self, now: float, wall: float) -> None:
        if now - self._looked >= FILES_S:
            self._looked = now
            self.read_again()
        try:
            for one in self._sender.add(self._watched.tick(self.sessions, now, wall)):
                self._tell(one)
            _report(self._sender.pump(wall))
            self._trouble = ""
        except OSError as error:
            why = error.strerror or str(error)
            if why != self._trouble:
                say(f"photinus: what was told cannot be kept, and nothing is sent until it can: {why}")
            self._trouble = why
        for fault in self._watched.faults:
            say(f"photinus: {fault}")
        self._watched.faults.clear()

    def read_again(self) -> None:
        """Take what changed in the channels and hosts; what is at fault is told, and goes on as it was."""
        for path, before in self._files.items():
            if (now := _stamp(path)) == before:
                continue
            self._files[path] = now
            try:
                if path == notices_path():
                    self._sender.take(read_channels())
                else:
                    self._take_hosts(load_hosts())
            except ConfigError as error:
                say(f"photinus: {error}; it goes on as before")
            else:
                say(f"{path.name} was read again")

    def _take_hosts(self, hosts: list[Host]) -> None:
        known = {host.name: host for host in hosts}
        for name, session in list(self.sessions.items()):
            if known.get(name) != session.host:
                del self.sessions[name]
                self._watched.forget(name)
                threading.Thread(target=session.close, daemon=True).start()  # it may wait for a host
        for name, host in known.items():
            if name not in self.sessions:
                self._add(host)

    def _add(self, host: Host) -> None:
        self._watched.store.add_host(host)
        session = Session(host, telemetry_s=TELEMETRY_S, read_only=True, history=HISTORY)
        self.sessions[host.name] = session.start()

    def _tell(self, one: Notice) -> None:
        if self._as_json:
            emit(one.to_json())
            return
        tell(f"{time.strftime('%d %b %H:%M:%S', time.localtime(one.at))}  {said(one)}")
        sys.stdout.flush()  # into a file or a journal it is read while the watch goes on


def _stamp(path: Path) -> tuple[int, ...]:
    try:
        found = path.stat()
    except OSError:
        return ()
    return found.st_mtime_ns, found.st_size, found.st_ino, found.st_mode, found.st_uid


def _report(reports: list[SendReport]) -> None:
    for report in reports:
        done = report.delivery
        if done.progress == "given_up":
            say(f"{report.channel}: given up after {done.tries} tries: {done.said}: {said(report.notice)}")
        elif done.progress == "waiting" and done.tries in (1, 10):
            say(f"{report.channel}: {done.said}; it is tried again")
