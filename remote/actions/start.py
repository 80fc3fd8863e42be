"""Start and resume: the intent first, then the verb, then its answer."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any, TypeVar

from remote.actions.inherited import inherited
from remote.actions.intents import intent
from remote.actions.outcome import Outcome, failed
from remote.actions.start_request import StartRequest, new_ticket
from remote.audit.whoami import whoami
from remote.protocol.arguments import ResumeArgs, StartArgs
from remote.protocol.errors import CallError
from remote.protocol.verbs import RESUME, START, Verb
from remote.protocol.version import version
from remote.protocol.views import StartedRun
from remote.session.session import Session

A = TypeVar("A", StartArgs, ResumeArgs)
START_S = 20.0  # the host itself waits up to 10 s for the trainer's first word


def start_run(session: Session, request: StartRequest, *, timeout: float = START_S) -> Outcome:
    """Start a run. The same request (its start id) sent twice is one run; it may still be `starting`."""
    try:
        hello = session.wait_connected(timeout)
    except CallError as error:
        return failed(error)
    if not session.host.is_local:
        request = replace(request, inherit=False)  # this machine's environment is not meant for another
    spec = replace(request.to_spec(hello.devices), caffeinate=session.host.caffeinate)
    passing = inherited().passing if request.inherits and hello.version == version() else {}
    args = StartArgs(
        start_id=request.start_id,
        spec=spec.to_json(),
        queue=request.queue,
        inherited=dict(passing),
        after=request.after,
        hold=request.hold,
        tags=[*request.tags],
    )  # an older agent knows no `inherited`: what has its default is not sent
    return _send(session, START, args, timeout)


def resume_run(
    session: Session,
    run_id: str,
    *,
    from_checkpoint: str = "",
    queue: bool = False,
    start_id: str = "",
    changes: Mapping[str, Any] | None = None,
    timeout: float = START_S,
) -> Outcome:
    """Continue a run that is over, from its newest whole checkpoint or the one that is named.

    `changes`: dotted configuration keys and their new values.
    """
    args = ResumeArgs(
        start_id=start_id or new_ticket(),
        run_id=run_id,
        from_=from_checkpoint,
        queue=queue,
        by=whoami(),
        set_=dict(changes or {}),
    )
    return _send(session, RESUME, args, timeout)


def _send(session: Session, verb: Verb[A, StartedRun], args: A, timeout: float) -> Outcome:
    try:
        with intent(session.host.name, verb.name, args):
            answer = session.call(verb, args, timeout)
    except CallError as error:
        return failed(error)
    view = answer.view
    if view.has_failed:
        return Outcome(
            False, view, "internal", f"{view.run_id} {view.state}: {view.reason}", "look at its log"
        )
    why = f" ({view.reason})" if view.reason and not view.is_terminal else ""
    return Outcome(True, view, message=f"{view.run_id} is {view.state}{why}" + _known(answer, args.start_id))


def _known(answer: StartedRun, start_id: str) -> str:
    """A start id that was used before starts nothing: the answer is what its run is doing now."""
    return f" (start id {start_id} was known: nothing new was started)" if answer.known else ""
