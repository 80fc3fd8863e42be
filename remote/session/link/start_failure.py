"""An agent that ended before its first word: what that says of the host, and what to do about it."""

from remote.hosts.address import ssh_words
from remote.hosts.host import Host
from remote.protocol.errors import CallError
from remote.session.link.connection import ConnectionClosed
from remote.transport.login_shell import quotable, shell_remedy

NOT_FOUND = (126, 127)
BY_SIGNAL = 128


def refusal(host: Host, ended: ConnectionClosed) -> CallError | None:
    """Why trying again would not help; None where it might (the link broke, a signal ended it)."""
    code = ended.ending.code
    if host.is_local or ended.was_awake or code is None or code >= BY_SIGNAL:
        return None
    output = ended.last_talk or ended.noise
    quoted = f": {output}" if output else ""
    if code in NOT_FOUND or "Error" in ended.last_talk or "No module named" in ended.last_talk:
        return CallError(
            "need_deploy",
            f"no agent could be started on {host.name} (code {code}{quoted})",
            f"photinus hosts deploy {host.name}",
            {"code": code, "said": output},
        )
    return CallError(
        "refused",
        f"the login shell on {host.name} ended before the agent began (code {code}{quoted})",
        shell_remedy(quotable(output), ssh_words(host.address)),
        {"code": code, "said": output},
    )
