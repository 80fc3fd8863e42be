"""The link to another machine: its agent on one channel of one SSH connection."""

import threading

from remote.deploy.find_deployed import locate
from remote.hosts.host import Host
from remote.hosts.placement import Placement, forget_placement, read_placement
from remote.protocol.errors import CallError
from remote.ssh.client import SshClient, connect
from remote.transport.base import AgentExit, ConnectAttempt, Transport
from remote.transport.sftp import Sftp

NOT_THERE = frozenset({126, 127})  # a shell's words for a program that is not there, or is none


def open_ssh(host: Host, dial: ConnectAttempt) -> Transport:
    """Reach the host and start the agent that was deployed there, by us or from another laptop.

    Raises:
        OSError: it cannot be reached now.
        CallError: trying again would not help; `need_deploy`: there is no agent yet.
    """
    client = connect(host, dial)
    try:
        dial.say("agent")
        return agent_on(client, host)
    except BaseException:
        client.close()
        raise


def agent_on(client: SshClient, host: Host) -> Transport:
    """Start the agent on a connection that is there: it ends with its transport.

    Raises:
        OSError: the link broke.
        CallError: `need_deploy`: there is no agent yet.
    """
    placement = read_placement(host) or locate(client, host)
    if placement is None:
        raise CallError(
            "need_deploy", f"nothing is deployed on {host.name} yet", f"photinus hosts deploy {host.name}"
        )
    return DeployedAgent(client, host, placement)


class DeployedAgent:
    """A transport to an agent; where there is none any more, the next dial looks for another."""

    def __init__(self, client: SshClient, host: Host, placement: Placement) -> None:
        self._host, self._placement = host, placement
        self._pipe = client.open_agent(placement.command)
        self._closing = threading.Lock()
        self._ending: AgentExit | None = None

    def read(self) -> bytes:
        """See `remote.transport.base.Transport`."""
        return self._pipe.read()

    def talk(self) -> bytes:
        """See `remote.transport.base.Transport`."""
        return self._pipe.talk()

    def write(self, data: bytes) -> None:
        """See `remote.transport.base.Transport`."""
        self._pipe.write(data)

    def sftp(self) -> Sftp:
        """See `remote.transport.sftp.Carrier`."""
        return self._pipe.sftp()

    def close(self) -> AgentExit:
        """See `remote.transport.base.Transport`."""
        with self._closing:  # by the thread that reads and the one that writes, and both must hear the same
            self._ending = self._ending or self._end()
            return self._ending

    def _end(self) -> AgentExit:
        ending = self._pipe.close()
        if ending.code in NOT_THERE and forget_placement(self._host, self._placement):
            return AgentExit(f"{self._placement.python} is not there any more; looking for another")
        return ending
