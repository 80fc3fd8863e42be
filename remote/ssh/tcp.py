"""A TCP socket to a host's SSH server."""

import socket
import threading
from typing import Any

from remote.ssh.deadline import Deadline


def open_socket(name: str, port: int, deadline: Deadline) -> socket.socket:
    """A connected socket, each address of the name tried in turn.

    Raises:
        OSError: no address, or none of them answers in time.
    """
    deadline.begin("dns")
    found = _addresses(name, port, deadline)
    deadline.begin("tcp")
    trouble: OSError = OSError(f"{name} has no address")
    for number, (family, kind, protocol, _, address) in enumerate(found):
        link = socket.socket(family, kind, protocol)
        try:
            link.settimeout(deadline.left() / (len(found) - number))
            link.connect(address)
            link.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        except OSError as error:
            link.close()
            trouble = error
        else:
            return link
    if isinstance(trouble, TimeoutError):
        raise TimeoutError(f"{name} port {port} does not answer")
    raise OSError(f"{name} port {port}: {trouble.strerror or trouble}")


def _addresses(name: str, port: int, deadline: Deadline) -> list[Any]:
    """Resolve on a thread of its own: the resolver knows no time limit."""
    done = threading.Event()
    found: list[Any] = []

    def resolve() -> None:
        try:
            found.append(socket.getaddrinfo(name, port, type=socket.SOCK_STREAM))
        except OSError as error:
            found.append(error)
        except UnicodeError as error:  # Python's own IDNA: an empty label, or one that is too long
            found.append(OSError(str(error)))
        done.set()

    threading.Thread(target=resolve, name=f"photinus-dns-{name}", daemon=True).start()
    deadline.wait(done)
    if isinstance(found[0], OSError):
        raise OSError(f"{name} cannot be resolved: {found[0].strerror or found[0]}")
    return list(found[0])
