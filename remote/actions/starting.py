"""Start and resume: the intent first, then the verb, then its answer."""

from typing import Any

from remote.actions.intents import intent
from remote.actions.outcome import Outcome, failed
from remote.actions.request import StartRequest, new_ticket
from remote.conversation import whoami
from remote.errors import CallError
from remote.session import Session
from remote.view import RunView

START_S = 20.0  # the host itself waits up to 10 s for the trainer's first word


def start_run(session: Session, request: StartRequest, *, timeout: float = START_S) -> Outcome:
    """Start a run. The same request (its start id) sent twice is one run; it may still be `starting`."""
    try:
        hello = session.wait_connected(timeout)
    except CallError as error:
        return failed(error)
    spec = request.to_spec(hello.devices)
    args = {"start_id": request.start_id, "spec": spec.to_json(), "queue": request.queue}
    return _send(session, "start", args, timeout)


def resume_run(
    session: Session,
    run_id: str,
    *,
    from_checkpoint: str = "",
    queue: bool = False,
    start_id: str = "",
    timeout: float = START_S,
) -> Outcome:
    """Continue a run that is over, from its newest whole checkpoint or the one that is named."""
    args: dict[str, Any] = {
        "start_id": start_id or new_ticket(),
        "run_id": run_id,
        "from": from_checkpoint,
        "queue": queue,
        "by": whoami(),
    }
    return _send(session, "resume", args, timeout)


def _send(session: Session, verb: str, args: dict[str, Any], timeout: float) -> Outcome:
    try:
        with intent(session.host.name, verb, args):
            view = RunView.from_json(session.call(verb, args, timeout))
    except CallError as error:
        return failed(error)
    if view.has_failed:
        return Outcome(
            False, view, "internal", f"{view.run_id} {view.state}: {view.reason}", "look at its log"
        )
    return Outcome(True, view, message=f"{view.run_id} is {view.state}")
