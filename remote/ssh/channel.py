"""What goes over one channel of a connection: an agent, or a command to its end. Knows no Paramiko."""

import contextlib
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Protocol

from remote.transport.base import AgentExit
from remote.transport.login_shell import READY_S, ReadyWord
from remote.transport.sftp import Sftp

READ_SIZE = 1 << 16
PARTING_S = 1.0
KEPT = 16 << 20  # of each stream of a command: its end; a host that floods us must not fill our memory


class Channel(Protocol):
    """A channel on which a command was started, as Paramiko offers it."""

    status_event: threading.Event
    exit_status: int

    def recv(self, nbytes: int, /) -> bytes: ...  # noqa: D102
    def recv_stderr(self, nbytes: int, /) -> bytes: ...  # noqa: D102
    def sendall(self, s: bytes, /) -> None: ...  # noqa: D102
    def shutdown_write(self) -> None: ...  # noqa: D102
    def settimeout(self, timeout: float | None, /) -> None: ...  # noqa: D102
    def close(self) -> None: ...  # noqa: D102


class OwningConnection(Protocol):
    """The connection that a channel is on."""

    def sftp(self) -> Sftp: ...  # noqa: D102
    def close(self) -> None: ...  # noqa: D102


@contextlib.contextmanager
def link_errors() -> Iterator[None]:
    """Make of whatever Paramiko raises on a link that breaks (EOFError, its own kinds) an OSError."""
    try:
        yield
    except OSError:
        raise
    except Exception as error:
        raise ConnectionResetError(str(error) or "the connection is closed") from None


@dataclass(frozen=True, slots=True)
class Ran:
    """What a command on the host answered; `code` is -1 where a signal ended it."""

    code: int
    out: bytes
    err: bytes


class ChannelPipe:
    """A `remote.transport.base.Transport` over one channel; the connection ends with it."""

    def __init__(self, channel: Channel, connection: OwningConnection) -> None:
        self._channel, self._connection = channel, connection

    def read(self) -> bytes:
        """See `remote.transport.base.Transport`."""
        with link_errors():
            return self._channel.recv(READ_SIZE)

    def talk(self) -> bytes:
        """See `remote.transport.base.Transport`."""
        with link_errors():
            return self._channel.recv_stderr(READ_SIZE)

    def write(self, data: bytes) -> None:
        """See `remote.transport.base.Transport`."""
        with link_errors():
            self._channel.sendall(data)

    def sftp(self) -> Sftp:
        """See `remote.transport.sftp.Carrier`."""
        return self._connection.sftp()

    def close(self) -> AgentExit:
        """See `remote.transport.base.Transport`: the agent's stdin ends, and with it the agent."""
        # On a thread of its own: over a link that takes no more bytes it would wait for ever.
        threading.Thread(target=self._end_stdin, name="photinus-parting", daemon=True).start()
        ended = self._channel.status_event.wait(PARTING_S)
        code = self._channel.exit_status
        self._connection.close()
        if not ended or code < 0:
            return AgentExit("the agent's channel was closed")
        return AgentExit(f"the agent exited with code {code}", code)

    def _end_stdin(self) -> None:
        with contextlib.suppress(OSError), link_errors():
            self._channel.shutdown_write()


def run_to_end(
    channel: Channel,
    stdin: bytes,
    timeout_s: float,
    on_output: Callable[[bytes], None] | None,
    ready: ReadyWord | None = None,
) -> Ran:
    """Feed a started command, and take what it says, both streams at once, until it is over.

    Of each stream the last 16 MiB are kept; `on_output` is told all of stdout. `ready`: nothing is sent
    before its word has come; where it never does, stdin ends without a byte.

    Raises:
        TimeoutError: it took longer than `timeout_s`; its channel must be closed.
    """
    end = time.monotonic() + timeout_s
    out, err = bytearray(), bytearray()
    may_send = threading.Event()
    if ready is None:
        may_send.set()

    def drain() -> None:
        with contextlib.suppress(OSError), link_errors():
            while data := channel.recv_stderr(READ_SIZE):
                err.extend(data)
                del err[:-KEPT]

    def feed() -> None:
        with contextlib.suppress(OSError), link_errors():
            if not may_send.wait(READY_S) and ready is not None:
                ready.is_late = (
                    True  # whoever waits for our input gets its end, and may then come to our command
                )
            elif stdin:
                channel.sendall(stdin)
            channel.shutdown_write()

    helpers = [threading.Thread(target=work, name="photinus-run", daemon=True) for work in (drain, feed)]
    for helper in helpers:
        helper.start()

    def left() -> float:
        return max(0.001, end - time.monotonic())

    def take(data: bytes) -> None:
        out.extend(data)
        del out[:-KEPT]
        if data and on_output is not None:
            on_output(data)

    try:
        while True:
            channel.settimeout(left())
            with link_errors():
                data = channel.recv(READ_SIZE)
            if not data:
                break
            take(ready.feed(data) if ready else data)
            if ready and ready.is_received:
                may_send.set()
        take(ready.rest() if ready else b"")
        if not channel.status_event.wait(left()):
            raise TimeoutError
        helpers[0].join(left())
    except TimeoutError:
        raise TimeoutError(f"a command on the host took longer than {timeout_s:g} s") from None
    return Ran(channel.exit_status, bytes(out), bytes(err))
