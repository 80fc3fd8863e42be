"""Bytes that stand before what a view shows: asked for when somebody scrolls back, or to fill a gap."""

from remote.protocol.answers import Caller
from remote.protocol.arguments import OlderArgs
from remote.protocol.results import N_MAX, Backfill
from remote.protocol.verbs import OLDER

__all__ = ["Backfill", "older_args", "read_older"]


def older_args(
    file: str, before: int, n: int = 262144, *, run_id: str = "", what: str = "log", path: str = ""
) -> OlderArgs:
    """Arguments of the verb `older`, for a screen that calls it without waiting."""
    whose = {"path": path} if what == "watch" else {"run_id": run_id}
    return OlderArgs(what=what, file=file, before=before, n=min(n, N_MAX), **whose)


def read_older(session: Caller, file: str, before: int, n: int = 262144, **whose: str) -> Backfill:
    """At most `n` bytes before byte `before` of a file of a stream, from the start of a line; of the file
    before where `before` is 0. `whose`: `run_id` and `what` (`log`, `events`), or `what="watch"` and `path`.

    Raises:
        CallError: `not_found`: the file is gone or was cut; `unreachable`, ...
        ProtocolError: the answer is malformed.
    """
    return session.call(OLDER, older_args(file, before, n, **whose))
