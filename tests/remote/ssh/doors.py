"""Ways in and refusals, in a word each."""

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
