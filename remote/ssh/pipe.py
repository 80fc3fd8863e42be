"""The link to another machine: its agent on one channel of one SSH connection."""

from remote.errors import CallError
from remote.hosts import Host
from remote.placement import read_placement
from remote.ssh.client import connect
from remote.transport import Dial, Transport


def open_ssh(host: Host, dial: Dial) -> Transport:
    """Reach the host and start the agent that was deployed there.

    Raises:
        OSError: it cannot be reached now.
        CallError: trying again would not help; `need_deploy`: there is no agent yet.
    """
    placement = read_placement(host)
    if placement is None:
        raise CallError(
            "need_deploy", f"nothing is deployed on {host.name} yet", f"photinus hosts deploy {host.name}"
        )
    client = connect(host, dial)
    dial.say("agent")
    return client.open_agent(placement.command)
