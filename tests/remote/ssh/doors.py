"""Ways in and refusals, in a word each."""

import contextlib
import socket
import threading
from collections.abc import Iterator

import pytest

from remote.hosts.host import Host
from remote.protocol.errors import CallError
from remote.ssh.client import SshClient, connect
from remote.transport.base import Answers, ConnectAttempt


def refused(host: Host, answers: Answers | None = None) -> CallError:
    with pytest.raises(CallError) as caught:
        connect(host, ConnectAttempt(answers=answers or Answers())).close()
    return caught.value


def works(client: SshClient) -> bool:
    try:
        return client.run("echo in").out == b"in\n"
    finally:
        client.close()


class Talker:
    """A port where somebody says a few words to each who comes, and hangs up. `count`: how many came."""

    def __init__(self, words: bytes) -> None:
        self._server = socket.create_server(("127.0.0.1", 0))
        self.port: int = self._server.getsockname()[1]
        self.count = 0
        self._words = words
        threading.Thread(target=self._serve, daemon=True).start()

    def close(self) -> None:
        self._server.close()

    def _serve(self) -> None:
        while True:
            try:
                link, _ = self._server.accept()
            except OSError:
                return
            self.count += 1
            with link, contextlib.suppress(OSError):
                link.sendall(self._words)
                link.shutdown(socket.SHUT_WR)
                while link.recv(1 << 12):
                    pass


@contextlib.contextmanager
def talker(words: bytes) -> Iterator[Talker]:
    made = Talker(words)
    try:
        yield made
    finally:
        made.close()
