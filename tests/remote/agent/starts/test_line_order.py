"""The line of a host: another order, held runs, runs that wait for another."""

from pathlib import Path

import pytest

from remote.protocol.errors import CallError
from remote.session.session import Session
from tests.remote.calling import call
from tests.remote.driving import ended
from tests.remote.finished_runs import finish, run_id_of
from tests.remote.scripts import BRIEF, QUIET, spec
from trainer.run.layout import new_run_id
from trainer.run.states import State


def begin(session: Session, code: str = BRIEF, **more: object) -> str:
    asked = {
        "start_id": new_run_id("s"),
        "spec": spec(code, shared_device=bool(more)).to_json(),
        "queue": True,
        **more,
    }
    return str(call(session, "start", asked, timeout=20.0)["run_id"])


def line(session: Session) -> list[str]:
    return [row["run_id"] for row in call(session, "queue")["runs"]]


def test_a_line_is_put_into_another_order_held_and_let_go(home: Path, session: Session) -> None:
    busy = begin(session, QUIET)
    a, b, c = (begin(session) for _ in range(3))
    assert line(session) == [a, b, c]
    for run_id, place, order in ((c, 1, [c, a, b]), (c, 3, [a, b, c]), (b, 1, [b, a, c]), (a, 99, [b, c, a])):
        call(session, "queue-change", {"run_id": run_id, "place": place})
        assert line(session) == order
    held = call(session, "queue-change", {"run_id": b, "held": True})["runs"]
    assert [(row["run_id"], row["why"]) for row in held] == [(b, "held"), (c, ""), (a, "")]
    with pytest.raises(CallError, match="wait for itself"):
        call(session, "queue-change", {"run_id": b, "after": b})
    with pytest.raises(CallError, match="does not wait"):
        call(session, "queue-change", {"run_id": busy, "place": 1})
    call(session, "kill", {"run_id": busy, "req_id": "k"})
    for run_id in (c, a):  # those behind a held one pass it by
        ended(session, run_id)
    assert line(session) == [b]
    call(session, "queue-change", {"run_id": b, "held": False})
    ended(session, b)


def test_a_run_waits_for_the_success_of_another(home: Path, session: Session) -> None:
    first = begin(session, "import sys; sys.stdin.read(); import time; time.sleep(0.5)")
    then = begin(session, after=first)  # of no device: nothing else keeps it
    call(session, "runs")  # lets the line move
    assert call(session, "run", {"run_id": then})["state"] == "queued"
    ended(session, then)
    assert call(session, "run", {"run_id": first})["state"] == "succeeded"
    failed = finish(home, run_id_of(1), state=State.FAILED).run_id
    stuck = begin(session, after=failed)
    call(session, "runs")
    (row,) = call(session, "queue")["runs"]
    assert (row["run_id"], row["why"]) == (stuck, f"{failed} ended failed")
    call(session, "queue-change", {"run_id": stuck, "after": ""})
    ended(session, stuck)
    with pytest.raises(CallError, match="no run gone-aaaaaa"):
        begin(session, after="gone-aaaaaa")
    kept = begin(session, hold=True)
    call(session, "runs")
    assert line(session) == [kept]
    assert call(session, "stop", {"run_id": kept, "req_id": "x"})["state"] == "stopped"
    assert line(session) == []
