"""How an operator is named to others: in audit logs, and in what a host says of a run."""

import getpass
import os
import socket


def whoami() -> str:
    """`user@machine (pid)`: how another operator is told who acted."""
    try:
        user = getpass.getuser()
    except (KeyError, OSError):
        user = str(os.getuid())
    return f"{user}@{socket.gethostname()} ({os.getpid()})"
