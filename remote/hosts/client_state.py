"""Where this client keeps what it remembers."""

import os
from pathlib import Path

from remote.protocol.errors import CallError
from trainer.run.disk.ownership import why_untrusted
from trainer.run.disk.small_record import read_small
from trainer.run.home import state_root
from trainer.run.run_errors import RecordError

OWN_MAX = 16 << 20


def client_folder(*names: str) -> Path:
    """Where this client keeps its own state: under the same root, `$PHOTINUS_HOME` moves everything."""
    return state_root(os.environ).joinpath("client", *names)


def make_client_folder(*names: str) -> Path:
    """The same, made private where it is missing: a root that others could read would be refused later."""
    path = state_root(os.environ)
    path.mkdir(mode=0o700, parents=True, exist_ok=True)
    for name in ("client", *names):
        path /= name
        path.mkdir(mode=0o700, exist_ok=True)
    return path


def read_own(path: Path) -> str:
    """The text of a file that decides whom this client trusts; empty where there is none.

    Raises:
        CallError: `refused`: another user could have written it, or it is no plain file.
    """
    try:
        data = read_small(path, OWN_MAX, ours=True)
        why = why_untrusted(path.parent) or why_untrusted(path) if data is not None else ""
    except (RecordError, OSError) as error:
        data, why = b"", str(error)
    if why:
        raise CallError(
            "refused", f"what decides whom to trust is itself not trusted: {why}", "look at it first"
        )
    return (data or b"").decode("utf-8", "replace")
