"""Adopt a run, and end exactly one process that a run left behind."""

from collections.abc import Mapping
from typing import Any

from remote.actions.outcome import Outcome, failed
from remote.protocol.errors import CallError
from remote.protocol.views import RunView
from remote.session.dialogue import whoami
from remote.session.session import Session

ADOPT_S = 20.0
REAP_S = 20.0  # SIGTERM, 2 s, SIGKILL, 5 s


def adopt_run(session: Session, run_id: str) -> Outcome:
    """Give a run that lost its supervisor another; one that has one is left as it is."""
    try:
        view = RunView.from_json(session.call("adopt", {"run_id": run_id}, ADOPT_S))
    except CallError as error:
        return failed(error)
    if view.is_terminal:
        words = f"{run_id} is {view.state}: {view.reason or 'nothing of it lives'}"
    elif view.supervisor_pid is not None:
        words = f"{run_id} is {view.state}, watched over by pid {view.supervisor_pid}"
    else:
        words = f"{run_id} is {view.state}"
    return Outcome(True, view, message=words)


def find_orphan(session: Session, run_id: str, pid: int) -> Mapping[str, Any]:
    """The row of `processes` that names this process: its pid and start time are what a reap is held to.

    Raises:
        CallError: `refused`: it is no orphan; the message says what it is.
    """
    rows = session.call("processes", timeout=ADOPT_S)["processes"]
    row = next((row for row in rows if row["pid"] == pid), None)
    if row is None:
        raise CallError(
            "not_found",
            f"pid {pid} is no process of ours on {session.host.name}",
            "photinus processes lists them",
        )
    if row["class"] != "orphan" or row["run_id"] != run_id:
        whose = f"of run {row['run_id']}" if row["run_id"] else "no process of a run"
        raise CallError(
            "refused",
            f"pid {pid} is no orphan of {run_id}: it is {row['class']}, {whose}",
            f"photinus kill {row['run_id']}" if row["class"] == "live" else "photinus never touches it",
        )
    return dict(row)


def reap(session: Session, orphan: Mapping[str, Any]) -> Outcome:
    """End one orphan; refused by the host if that pid is by now another process."""
    args = {"run_id": orphan["run_id"], "pid": orphan["pid"], "start": orphan["start"]}
    try:
        answer = session.call("reap", args, REAP_S)
    except CallError as error:
        return failed(error)
    return Outcome(
        True, message=f"pid {answer['pid']} of {orphan['run_id']} ended by signal {answer['signal']}"
    )


def find_stale(session: Session, pid: int) -> Mapping[str, Any]:
    """The row of `processes` of a process that is no run of ours and may be ended by its user.

    Raises:
        CallError: `not_found`, or `refused` with what it is.
    """
    rows = session.call("processes", timeout=ADOPT_S)["processes"]
    row = next((row for row in rows if row["pid"] == pid), None)
    if row is None:
        raise CallError("not_found", f"pid {pid} is not listed there", "photinus processes lists them")
    why_not = f"it is {row['class']}, of run {row['run_id']}" if row["class"] != "foreign" else ""
    why_not = why_not or str(row.get("why_not", "its host is too old to end it"))
    if why_not or row.get("start") is None:
        remedy = f"photinus show {row['run_id']}" if row["run_id"] else "photinus never touches it"
        raise CallError("refused", f"pid {pid} is left alone: {why_not}", remedy)
    return dict(row)


def end_process(session: Session, row: Mapping[str, Any]) -> Outcome:
    """End one such process; refused by the host if that pid is by now another process."""
    args = {"pid": row["pid"], "start": row["start"], "by": whoami()}
    try:
        answer = session.call("end", args, REAP_S)
    except CallError as error:
        return failed(error)
    return Outcome(True, message=f"pid {answer['pid']} ended by signal {answer['signal']}")
