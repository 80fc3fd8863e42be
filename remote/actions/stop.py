"""Stop and kill: a request to the run's supervisor, and the wait for what it proved."""

from typing import TypeVar

from remote.actions.outcome import Outcome, failed
from remote.actions.start_request import new_ticket
from remote.actions.wait import wait_for
from remote.audit.whoami import whoami
from remote.protocol.arguments import KillArgs, StopArgs
from remote.protocol.errors import CallError
from remote.protocol.verbs import KILL, STOP, Verb
from remote.protocol.views import EndedRun, RunView
from remote.session.session import Session

A = TypeVar("A", bound=KillArgs)
ASK_S = 15.0
STOP_S = 600.0
KILL_S = 60.0
NAMES_MAX = 20


def stop_run(
    session: Session,
    run_id: str,
    *,
    wait: bool = True,
    deadline: float | None = None,
    timeout: float = STOP_S,
    again: bool = False,
    signal: str = "",
) -> Outcome:
    """End a run gracefully.

    Args:
        deadline: seconds after which the stop becomes a kill; None: never.
        again: send the stop signal once more, to a command that needs two.
        signal: send this one instead of the run's own.
    """
    args = StopArgs(
        run_id=run_id, req_id=new_ticket(), by=whoami(), deadline_s=deadline, again=again, signal=signal
    )
    outcome = _end(session, STOP, args, wait, timeout)
    if outcome.code == "timeout":
        return Outcome(
            False,
            outcome.run,
            "timeout",
            outcome.message,
            "wait longer (--timeout S), send a command its signal once more (--again), or kill it",
            outcome.detail,
        )
    return outcome


def kill_run(session: Session, run_id: str, *, wait: bool = True, timeout: float = KILL_S) -> Outcome:
    """End a run now; steps since its last checkpoint are lost."""
    args = KillArgs(run_id=run_id, req_id=new_ticket(), by=whoami())
    return _end(session, KILL, args, wait, timeout)


def _end(session: Session, verb: Verb[A, EndedRun], args: A, wait: bool, timeout: float) -> Outcome:
    try:
        answer = session.call(verb, args, min(timeout, ASK_S))
        view = answer.view
    except CallError as error:
        return failed(error)
    if ended := ", ".join(answer.ended[:NAMES_MAX]):
        message = f"{view.run_id} was over ({view.state}); of it there still lived {ended}, ended now"
        return Outcome(True, view, message=message)
    if not view.is_terminal and wait:
        outcome = wait_for(session, view.run_id, _is_settled, timeout)
        if not outcome.ok or outcome.run is None:
            return outcome
        view = outcome.run
    return _outcome(verb.name, view, wait)


def _is_settled(view: RunView) -> bool:
    return view.is_terminal or view.state == "unkillable"


def _outcome(verb: str, view: RunView, wait: bool) -> Outcome:
    if not view.is_terminal and not wait:
        return Outcome(True, view, message=f"{view.run_id} was asked to {verb}; it is {view.state}")
    last = view.last_checkpoint
    proof = f"checkpoint {last.name} (sha256 {last.sha256[:12]})" if last else "no checkpoint"
    message = f"{view.run_id} is {view.state}: {view.reason or 'no reason given'}; {proof}"
    if view.state in ("stopped", "succeeded") or (verb == "kill" and view.state == "failed"):
        return Outcome(True, view, message=message)
    return Outcome(False, view, "internal", message, "look at its log")
