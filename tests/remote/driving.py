"""A verb of the agent in this process, and runs waited for."""

import time
from collections.abc import Generator
from typing import Any

from remote.protocol.results import as_answered
from remote.session.session import Session
from tests.remote.calling import call
from tests.waiting import wait_until


def drive(work: Generator[None, None, Any]) -> dict[str, Any]:
    """A verb of the agent to its end, in this process."""
    while True:
        try:
            next(work)
        except StopIteration as done:
            return dict(as_answered(done.value))
        time.sleep(0.005)


def ended(session: Session, run_id: str) -> None:
    wait_until(
        lambda: call(session, "run", {"run_id": run_id})["state"] in ("succeeded", "stopped"), 20.0, run_id
    )
