"""Which transport a host gets."""

from remote.hosts.host import Host
from remote.transport.base import ConnectAttempt, Transport


def open_transport(host: Host, dial: ConnectAttempt) -> Transport:
    """The opener of every session: a pipe for this machine, SSH for any other.

    Raises:
        OSError, CallError: see `Opener`.
    """
    if host.is_local:
        from remote.transport.local import LocalPipe

        return LocalPipe(host)
    from remote.session.link.ssh_pipe import open_ssh

    return open_ssh(host, dial)
