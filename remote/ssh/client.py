"""An authenticated connection over Paramiko, and the channels on it."""

import contextlib
import logging
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any, cast

import paramiko

from remote.hosts.address import ssh_words
from remote.hosts.host import Host
from remote.protocol.errors import CallError
from remote.ssh import refusals
from remote.ssh.auth.login import BROKEN, WINDOW, handshake, log_in
from remote.ssh.bulk import BulkSftp
from remote.ssh.channel import READ_SIZE, ChannelPipe, Ran, run_to_end
from remote.ssh.config.effective import Target, target_of
from remote.ssh.deadline import Deadline
from remote.ssh.proxy import confirmed_proxy
from remote.ssh.slots import CLOSING_S, NarrowError, Slots, Until
from remote.ssh.tcp import open_socket
from remote.transport.base import Answers, ConnectAttempt
from remote.transport.find_python import find_python
from remote.transport.login_shell import READY_S, ReadyWord, announced, quotable, shell_ended, shell_waits
from remote.transport.sftp import Sftp

SFTP_SERVER = Path(__file__).with_name("sftp_server.py")
CHANNELS = 8
OPENING_S = 15.0
STALL_S = 30.0
WATCH_S = 0.1
LOSS_S = 0.2

_log = logging.getLogger("paramiko")  # what it says there would be written over the screen
_log.addHandler(logging.NullHandler())
_log.propagate = False


class SshClient:
    """One authenticated connection. Every method may be called from any thread.

    `offers_sftp`: False once the host has refused it; then files go through a server of ours.
    """

    def __init__(
        self, transports: list[paramiko.Transport], name: str, words: str, again: Callable[[], "SshClient"]
    ) -> None:
        """`words`: the host as `ssh` takes it on its command line; `again`: another connection to it."""
        self._transports, self._name, self._words = transports, name, words
        self._slots = Slots(CHANNELS)
        self._again, self._is_narrow = again, False
        self.offers_sftp = True

    def run(
        self,
        command: str,
        stdin: bytes = b"",
        timeout_s: float = 30.0,
        on_output: Callable[[bytes], None] | None = None,
    ) -> Ran:
        """Run a command to its end, `stdin` given to it; `on_output` is told stdout as it comes.

        Nothing of `stdin` is sent before the command itself has said that it reads.

        Raises:
            OSError: the link broke, or it took longer than `timeout_s`.
            CallError: `refused`: the login shell never came to the command; `timeout`: all channels stayed
                in use.
        """
        ready = ReadyWord() if stdin else None
        words = announced(command) if ready else command
        try:
            channel = self._start(lambda channel: channel.exec_command(words), refusals.no_commands)
        except NarrowError:
            with contextlib.closing(self._again()) as another:
                return another.run(command, stdin, timeout_s, on_output)
        try:
            ran = run_to_end(channel, stdin, timeout_s, on_output, ready)
        finally:
            _shut(channel)
            self._slots.give_back()
        if ran.code < 0 and not self._transports[-1].is_active():
            raise ConnectionResetError("the link broke while a command ran on the host")
        if ready and not ready.is_received:
            output = quotable(ran.err, ran.out)
            raise shell_ended(self._name, ran.code, output, self._words)
        if ready and ready.is_late:
            raise shell_waits(self._name, quotable(ran.err, ran.out))
        return ran

    def open_agent(self, command: str) -> ChannelPipe:
        """Run a command and speak with it; the connection ends with it.

        Raises:
            OSError: the link broke.
        """
        start = self._start(lambda channel: channel.exec_command(command), refusals.no_commands)
        return ChannelPipe(start, self)

    def sftp(self) -> Sftp:
        """A new SFTP channel; its calls fail with OSError. On a second connection where one has no room.

        Raises:
            OSError: the link broke.
            CallError: `refused`: the host offers none; `timeout`: all channels stayed in use.
        """
        if not self._is_narrow:
            try:
                return self._sftp_here(self._slots.give_back)
            except NarrowError:
                self._is_narrow = True
        another = self._again()
        try:
            return another._sftp_here(another.close)
        except BaseException:
            another.close()
            raise

    def _sftp_here(self, on_close: Callable[[], None]) -> Sftp:
        """By the host's own SFTP; where it offers none, by a small server of ours that its Python runs."""
        if self.offers_sftp:
            try:
                channel = self._start(lambda channel: channel.invoke_subsystem("sftp"), refusals.no_sftp)
                return self._sftp_on(channel, on_close)
            except NarrowError:
                raise
            except CallError as error:
                if error.code != "refused":
                    raise
                self.offers_sftp = False
        return self._sftp_on(self._start_sftp_server(), on_close)

    def _start_sftp_server(self) -> paramiko.Channel:
        program = SFTP_SERVER.read_bytes()
        python = f'exec "$q" -I -u -c "import sys; exec(sys.stdin.buffer.read({len(program)}))"'
        command = announced(find_python(python))
        channel = self._start(lambda channel: channel.exec_command(command), refusals.no_sftp)
        word, noise = ReadyWord(), b""
        try:
            channel.settimeout(READY_S)
            while not word.is_received and (data := channel.recv(READ_SIZE)):
                noise = (noise + word.feed(data))[-READ_SIZE:]
            if word.is_received:
                channel.sendall(program)
                return channel
        except (OSError, *BROKEN) as error:
            self._discard(channel)
            raise OSError(f"no SFTP came up on {self._name}: {str(error) or 'the link broke'}") from None
        self._discard(channel)
        raise refusals.no_sftp(self._name, quotable(noise))

    def _sftp_on(self, channel: paramiko.Channel, on_close: Callable[[], None]) -> Sftp:
        channel.settimeout(STALL_S)
        try:
            return cast(Sftp, _SftpClient(channel, on_close))
        except Exception as error:  # whatever stands there in place of an SFTP server
            answered = not isinstance(error, TimeoutError) and self._is_up()
            self._discard(channel)
            if answered:
                raise refusals.no_sftp(self._name, str(error)) from None
            raise OSError(f"no SFTP came up on {self._name}: {str(error) or 'the link broke'}") from None

    def _discard(self, channel: paramiko.Channel) -> None:
        _shut(channel)
        self._slots.give_back()

    def close(self) -> None:
        """End the connection and every channel on it; never waits for the host."""
        for transport in self._transports:  # the outermost first: an inner one would wait for it
            transport.close()

    def _is_up(self) -> bool:
        """Whether the connection holds: a loss that is just being noticed counts as one."""
        transport = self._transports[-1]
        transport.join(LOSS_S)  # it is a thread, and ends with the link
        return transport.is_active()

    def _open(self, end: Until) -> paramiko.Channel:
        soon: Until | None = None
        while True:
            try:
                channel = self._transports[-1].open_session(WINDOW, timeout=end.left())
                self._slots.opened()
                return channel
            except paramiko.ChannelException:
                soon = soon or Until(CLOSING_S)
                others = self._slots.wait_for_another(end, soon)
                if others == 0:
                    raise refusals.no_session(self._name) from None
                if others == 1:
                    raise NarrowError(self._name) from None
                if others is not None:
                    raise refusals.no_channel(self._name) from None
            except (OSError, *BROKEN) as error:
                self._slots.give_back(is_open=False)
                raise OSError(f"no channel to {self._name}: {error}") from None

    def _start(
        self, what: Callable[[paramiko.Channel], None], refusal: Callable[[str, str], CallError]
    ) -> paramiko.Channel:
        """A new channel with something started on it; `refusal`: of a server that will not start it."""
        end = self._slots.take(OPENING_S)
        channel = self._open(end)
        stuck = threading.Timer(end.left(), _shut, (channel,))
        stuck.daemon = True
        stuck.start()
        try:
            what(channel)
        except (OSError, *BROKEN) as error:
            stuck.cancel()
            _shut(channel)
            self._slots.give_back()
            if self._is_up() and not end.is_over:  # it answered: trying again would not help
                raise refusal(self._name, "") from None
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
    again = ConnectAttempt(answers=dial.answers)  # by then nobody follows the stages of this one
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
    return SshClient(transports, target.alias, ssh_words(host.address), lambda: connect(host, again))


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
