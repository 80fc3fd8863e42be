"""A file of a host, read once and whole over its session."""

import time
from collections.abc import Iterator

from remote.protocol.errors import CallError
from remote.session.session import Session
from remote.session.updates import Bytes, StreamEnd
from tui.commands.host_session import POLL_S

QUIET_S = 15.0
WHOLE = 1 << 53


def pieces(session: Session, path: str) -> Iterator[bytes]:
    """The bytes of a plain file up to its present end, in memory that does not grow with it.

    Raises:
        CallError: it cannot be read, or its host sends nothing for a while.
    """
    key = session.watch(path, None, WHOLE, False)
    received_at = time.monotonic()
    try:
        while True:
            updates = session.drain()
            for update in updates:
                if isinstance(update, Bytes) and update.key == key:
                    received_at = time.monotonic()
                    yield update.data
                elif isinstance(update, StreamEnd) and update.key == key:
                    if update.reason:
                        raise CallError(
                            "refused", f"{path}: {update.reason}", "name a plain file that you may read"
                        )
                    return
            if time.monotonic() - received_at > QUIET_S:
                raise CallError("timeout", f"{session.host.name} did not send {path}", "try again")
            if not updates:
                time.sleep(POLL_S)
    finally:
        session.unfollow(key)
