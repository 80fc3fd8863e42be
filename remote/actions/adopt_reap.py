"""Adopt a run, and end exactly one process that a run left behind."""

from remote.actions.outcome import Outcome, failed
from remote.audit.whoami import whoami
from remote.protocol.arguments import EndArgs, NoArgs, ReapArgs, RunArgs
from remote.protocol.errors import CallError
from remote.protocol.results import ProcessRow
from remote.protocol.verbs import ADOPT, END, PROCESSES, REAP
from remote.session.session import Session

ADOPT_S = 20.0
REAP_S = 20.0  # SIGTERM, 2 s, SIGKILL, 5 s


def adopt_run(session: Session, run_id: str) -> Outcome:
    """Give a run that lost its supervisor another; one that has one is left as it is."""
    try:
        view = session.call(ADOPT, RunArgs(run_id=run_id), ADOPT_S)
    except CallError as error:
        return failed(error)
    if view.is_terminal:
        words = f"{run_id} is {view.state}: {view.reason or 'nothing of it lives'}"
    elif view.supervisor_pid is not None:
        words = f"{run_id} is {view.state}, watched over by pid {view.supervisor_pid}"
    else:
        words = f"{run_id} is {view.state}"
    return Outcome(True, view, message=words)


def find_orphan(session: Session, run_id: str, pid: int) -> ProcessRow:
    """The row of `processes` that names this process: its pid and start time are what a reap is held to.

    Raises:
        CallError: `refused`: it is no orphan; the message says what it is.
    """
    rows = session.call(PROCESSES, NoArgs(), ADOPT_S).processes
    row = next((row for row in rows if row.pid == pid), None)
    if row is None:
        raise CallError(
            "not_found",
            f"pid {pid} is no process of ours on {session.host.name}",
            "photinus processes lists them",
        )
    if row.standing != "orphan" or row.run_id != run_id:
        whose = f"of run {row.run_id}" if row.run_id else "no process of a run"
        raise CallError(
            "refused",
            f"pid {pid} is no orphan of {run_id}: it is {row.standing}, {whose}",
            f"photinus kill {row.run_id}" if row.standing == "live" else "photinus never touches it",
        )
    return row


def reap(session: Session, run_id: str, pid: int, start: int) -> Outcome:
    """End one orphan; refused by the host if that pid is by now another process."""
    try:
        answer = session.call(REAP, ReapArgs(run_id=run_id, pid=pid, start=start), REAP_S)
    except CallError as error:
        return failed(error)
    return Outcome(True, message=f"pid {answer.pid} of {run_id} ended by signal {answer.signal}")


def find_stale(session: Session, pid: int) -> ProcessRow:
    """The row of `processes` of a process that is no run of ours and may be ended by its user.

    Raises:
        CallError: `not_found`, or `refused` with what it is.
    """
    rows = session.call(PROCESSES, NoArgs(), ADOPT_S).processes
    row = next((row for row in rows if row.pid == pid), None)
    if row is None:
        raise CallError("not_found", f"pid {pid} is not listed there", "photinus processes lists them")
    why_not = f"it is {row.standing}, of run {row.run_id}" if row.standing != "foreign" else row.why_not
    if why_not is None or (not why_not and row.start is None):
        why_not = "its host does not end it"
    if why_not:
        remedy = f"photinus show {row.run_id}" if row.run_id else "photinus never touches it"
        raise CallError("refused", f"pid {pid} is left alone: {why_not}", remedy)
    return row


def log_of_process(session: Session, pid: int) -> str:
    """The file on the host that the output of a process of this user goes to, where that is no run's.

    Raises:
        CallError: `not_found`, or `refused`: it has no such file, or is a run's, which has a log of its own.
    """
    rows = session.call(PROCESSES, NoArgs(), ADOPT_S).processes
    row = next((row for row in rows if row.pid == pid), None)
    if row is None:
        raise CallError("not_found", f"pid {pid} is not listed there", "photinus processes lists them")
    if row.run_id:
        raise CallError("refused", f"pid {pid} is of run {row.run_id}", f"photinus tail {row.run_id}")
    if not row.log:
        whose = "it is another user's" if not row.mine else "its output goes to no plain file of yours"
        raise CallError(
            "refused", f"pid {pid} has no log that can be followed: {whose}", "photinus tail --path FILE"
        )
    return row.log


def end_process(session: Session, pid: int, start: int) -> Outcome:
    """End one such process; refused by the host if that pid is by now another process."""
    try:
        answer = session.call(END, EndArgs(pid=pid, start=start, by=whoami()), REAP_S)
    except CallError as error:
        return failed(error)
    left = f"; what it had started goes on: {', '.join(answer.left)}" if answer.left else ""
    return Outcome(True, message=f"pid {answer.pid} ended by signal {answer.signal}{left}")
