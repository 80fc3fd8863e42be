"""Waiting for a run, over links that come and go."""

import time
from collections.abc import Callable

from remote.actions.outcome import Outcome, failed
from remote.protocol.arguments import RunArgs
from remote.protocol.errors import CallError, UnreachableError
from remote.protocol.verbs import RUN
from remote.protocol.views import RunView
from remote.session.session import Session

ASK_EVERY_S = 1.0


def wait_for(
    session: Session, run_id: str, predicate: Callable[[RunView], bool], timeout: float = 600.0
) -> Outcome:
    """Wait until `predicate` holds, over lost links too; after `timeout` s: `timeout` or `unreachable`."""
    deadline = time.monotonic() + timeout
    view: RunView | None = None
    unreachable: CallError | None = None
    while (left := deadline - time.monotonic()) > 0:
        try:
            view, unreachable = session.call(RUN, RunArgs(run_id=run_id), min(left, 10.0)).view, None
        except UnreachableError as error:
            unreachable = error
        except CallError as error:
            if error.code != "timeout":
                return failed(error, view)
        if view is not None and unreachable is None and predicate(view):
            return Outcome(True, view, message=f"{run_id} is {view.state}")
        pause = min(ASK_EVERY_S, max(0.0, deadline - time.monotonic()))
        seq = view.seq if view else 0
        session.wait_run(run_id, lambda received, seq=seq: received.seq > seq, pause)  # type: ignore[misc]
    if unreachable is not None:
        return failed(unreachable, view)
    state = view.state if view else "unknown"
    return Outcome(
        False,
        view,
        "timeout",
        f"{run_id} is still {state} after {timeout:g} s",
        "wait longer (--timeout S), or look at its log",
    )
