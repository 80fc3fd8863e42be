"""Asking a deployed agent for its hello, once, without a session: the proof that an environment works."""

from typing import Any

from remote.deploy.remote_python import PythonRunner
from remote.hosts.placement import Placement
from remote.protocol.arguments import HelloArgs, as_sent
from remote.protocol.errors import CallError, ProtocolError
from remote.protocol.framing import FrameReader
from remote.protocol.messages import PROTO, Reply, encode_request
from remote.protocol.verbs import HELLO
from remote.protocol.version import version
from remote.protocol.views import HostHello

HELLO_S = 20.0


def ask_hello(client: PythonRunner, placement: Placement, timeout_s: float = HELLO_S) -> HostHello:
    """What the agent of `placement` says of itself.

    Raises:
        OSError: the link broke, or it took longer than `timeout_s`.
        CallError: no agent of ours answers there, or it refuses (an unsafe state root).
    """
    args = HelloArgs(proto=list(PROTO), version=version(), client="deploy")
    line = encode_request(1, HELLO.name, as_sent(args))
    ran: Any = client.run(placement.command, stdin=line, timeout_s=timeout_s)
    try:
        replies = [message for message in FrameReader().feed(ran.out) if isinstance(message, Reply)]
        if replies and replies[0].error is not None:
            raise replies[0].error
        if replies:
            return HostHello.from_json(replies[0].result)
    except ProtocolError as error:
        raise CallError(
            "incompatible", f"what answers there is no agent of ours: {error}", "deploy"
        ) from error
    raise CallError("need_deploy", f"no agent answers at {placement.python}", "photinus hosts deploy")
