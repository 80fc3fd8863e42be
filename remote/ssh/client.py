"""An authenticated connection over Paramiko, and the channels on it."""

import contextlib
import logging
import threading
from collections.abc import Callable
from typing import Any, cast

import paramiko

from remote.hosts.host import Host
from remote.ssh import refusals
from remote.ssh.auth.login import BROKEN, WINDOW, handshake, log_in
from remote.ssh.bulk import BulkSftp
from remote.ssh.channel import ChannelPipe, Ran, run_to_end
from remote.ssh.config.effective import Target, target_of
from remote.ssh.deadline import Deadline
from remote.ssh.proxy import confirmed_proxy
from remote.ssh.slots import Slots
from remote.ssh.tcp import open_socket
from remote.transport.base import Answers, ConnectAttempt, Sftp

CHANNELS = 8
OPENING_S = 15.0
STALL_S = 30.0
WATCH_S = 0.1

_log = logging.getLogger("paramiko")  # what it says there would be written over the screen
_log.addHandler(logging.NullHandler())
_log.propagate = False


class SshClient:
    """One authenticated connection. Every method may be called from any thread."""

    def __init__(self, transports: list[paramiko.Transport], name: str) -> None:
        self._transports, self._name = transports, name
        self._slots = Slots(CHANNELS)

    def run(
        self,
        command: str,
        stdin: bytes = b"",
        timeout_s: float = 30.0,
        on_output: Callable[[bytes], None] | None = None,
    ) -> Ran:
        """Run a command to its end, `stdin` given to it; `on_output` is told stdout as it comes.

        Raises:
            OSError: the link broke, or it took longer than `timeout_s`.
            CallError: `timeout`: all channels stayed in use.
        """
        channel = self._start(lambda channel: channel.exec_command(command))
        try:
            ran = run_to_end(channel, stdin, timeout_s, on_output)
        finally:
            _shut(channel)
            self._slots.give_back()
        if ran.code < 0 and not self._transports[-1].is_active():
            raise ConnectionResetError("the link broke while a command ran on the host")
        return ran

    def open_agent(self, command: str) -> ChannelPipe:
        """Run a command and speak with it; the connection ends with it.

        Raises:
            OSError: the link broke.
        """
        return ChannelPipe(self._start(lambda channel: channel.exec_command(command)), self)

    def sftp(self) -> Sftp:
        """A new SFTP channel; its calls fail with OSError.

        Raises:
            OSError: the link broke, or the host offers none.
            CallError: `timeout`: all channels stayed in use.
        """
        channel = self._start(lambda channel: channel.invoke_subsystem("sftp"))
        channel.settimeout(STALL_S)
        try:
            return cast(Sftp, _SftpClient(channel, self._slots.give_back))
        except Exception as error:  # whatever stands there in place of an SFTP server
            _shut(channel)
            self._slots.give_back()
            raise OSError(f"{self._name} offers no SFTP: {error}") from None

    def close(self) -> None:
        """End the connection and every channel on it; never waits for the host."""
        for transport in self._transports:  # the outermost first: an inner one would wait for it
            transport.close()

    def _start(self, what: Callable[[paramiko.Channel], None]) -> paramiko.Channel:
        """A new channel with something started on it; one of our few."""
        end = self._slots.take(OPENING_S)
        while True:
            try:
                channel = self._transports[-1].open_session(WINDOW, timeout=end.left())
                break
            except paramiko.ChannelException as error:
                if not self._slots.wait_for_another(end):
                    raise refusals.no_channel(self._name, str(error)) from None
            except (OSError, *BROKEN) as error:
                self._slots.give_back()
                raise OSError(f"no channel to {self._name}: {error}") from None
        stuck = threading.Timer(end.left(), _shut, (channel,))
        stuck.daemon = True
        stuck.start()
        try:
            what(channel)
        except (OSError, *BROKEN) as error:
            _shut(channel)
            self._slots.give_back()
            raise OSError(f"{self._name} started nothing on a channel: {error}") from None
        finally:
            stuck.cancel()
        return channel


def connect(host: Host, dial: ConnectAttempt) -> SshClient:
    """Reach `host` through its jumps, verify every key, authenticate.

    Raises:
        OSError: it cannot be reached now.
        CallError: trying again would not help; a `QuestionError` where the operator can decide.
    """
    target = target_of(host.address, host.name)
    deadline = Deadline(dial)
    transports: list[paramiko.Transport] = []
    done = threading.Event()
    watch = threading.Thread(
        target=_watch, args=(dial, deadline, transports, done), name="photinus-watch", daemon=True
    )
    watch.start()
    try:
        for hop in (*target.hops, target):
            road = _road(transports, hop, dial.answers, deadline)
            transports.append(handshake(road, hop, dial.answers, deadline))
            log_in(transports[-1], hop, dial.answers, deadline)
        deadline.left()
    except BaseException as error:
        for transport in transports:
            transport.close()
        if isinstance(error, BROKEN):
            deadline.left()
            raise OSError(f"{target.where} at {deadline.stage}: {str(error) or 'the link broke'}") from None
        raise
    finally:
        done.set()
    return SshClient(transports, target.alias)


def _watch(
    dial: ConnectAttempt, deadline: Deadline, transports: list[paramiko.Transport], done: threading.Event
) -> None:
    """Close what is open when nobody waits any more, whatever the dial's own thread is stuck in."""
    while not done.wait(WATCH_S):
        if dial.gave_up.is_set() or deadline.is_over:
            for transport in transports:
                transport.close()
            return


def _road(transports: list[paramiko.Transport], hop: Target, answers: Answers, deadline: Deadline) -> Any:
    """The bytes to a hop's server: over the hop before it, a ProxyCommand or TCP."""
    if hop.proxy_command:
        return confirmed_proxy(hop, answers, deadline)
    if not transports:
        return open_socket(hop.hostname, hop.port, deadline)
    before = transports[-1].hostname  # type: ignore[attr-defined]  # the stubs do not know it
    deadline.begin(f"tcp via {before}")
    try:
        return transports[-1].open_channel(
            "direct-tcpip", (hop.hostname, hop.port), ("127.0.0.1", 0), WINDOW, timeout=deadline.left()
        )
    except paramiko.ChannelException as error:
        raise refusals.no_jump(str(before), hop.where, error.code, error.text) from None


def _shut(channel: paramiko.Channel) -> None:
    with contextlib.suppress(OSError, *BROKEN):  # on a link that breaks even this can fail
        channel.close()


class _SftpClient(BulkSftp):
    """An SFTP channel that gives its place back, and fails as files do."""

    def __init__(self, channel: paramiko.Channel, on_close: Callable[[], None]) -> None:
        self._on_close: Callable[[], None] | None = on_close
        super().__init__(channel)

    def close(self) -> None:
        with contextlib.suppress(OSError, *BROKEN):
            super().close()
        on_close, self._on_close = self._on_close, None
        if on_close is not None:
            on_close()

    def _convert_status(self, msg: Any) -> None:
        try:
            super()._convert_status(msg)  # type: ignore[misc]
        except UnicodeDecodeError:
            raise OSError("the host's SFTP failed, and says why in no text") from None

    def _async_request(self, *args: Any, **more: Any) -> Any:
        try:
            return super()._async_request(*args, **more)  # type: ignore[misc]
        except BROKEN as error:
            raise ConnectionResetError(f"the link broke during a transfer: {error}") from None

    def _read_response(self, *args: Any, **more: Any) -> Any:
        try:
            return super()._read_response(*args, **more)  # type: ignore[misc]
        except paramiko.SSHException as error:
            raise ConnectionResetError(f"the link broke during a transfer: {error}") from None
