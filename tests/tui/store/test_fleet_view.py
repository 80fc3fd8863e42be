"""What the operator typed, and what matters first."""

from typing import Any

import pytest

from tests.tui.fake import WALL, view
from tui.store.fleet_view import SORTS, ordered, read_filter
from tui.store.runs import RunRecord


def run(name: str, host: str = "atlas", **changes: Any) -> RunRecord:
    return RunRecord(host, view(f"{name}-aaaaaa", name=name, **changes), 0.0)


RUNS = [
    run("done", state="succeeded", since=WALL - 50, tags=("paper",)),
    run("broken", state="failed", since=WALL - 900, created=WALL - 7200),
    run("live", host="box", created=WALL - 3600 * 30),
    run("newer", host="box", preset="gpt-tiny", created=WALL - 10),
]


@pytest.mark.parametrize(
    ("typed", "shown"),
    [
        ("", "done broken live newer"),
        ("box", "live newer"),
        ("!box", "done broken"),
        ("host:BOX !preset:gpt", "live"),
        ("state:fail", "broken"),
        ("!state:run", "done broken"),
        ("tag:pap", "done"),
        ("age:<3h", "done broken newer"),
        ("age:>1d", "live"),
        ("!age:>1d !newer", "done broken"),
        ("age:", "done broken live newer"),
        ("nothing:like", ""),
        ("!", "done broken live newer"),
    ],
)
def test_a_filter_shows(typed: str, shown: str) -> None:
    found = read_filter(typed)
    assert " ".join(one.name for one in RUNS if found.lets(one, WALL)) == shown


def test_a_faulty_age_is_told_with_what_to_write() -> None:
    assert "age:<2h" in read_filter("age:2").fault
    assert read_filter("age:<2h").fault == ""


def test_what_lives_comes_first_then_what_failed() -> None:
    assert [one.name for one in ordered(RUNS)] == ["newer", "live", "broken", "done"]


def test_each_order_keeps_every_run_and_what_has_no_value_is_last() -> None:
    RUNS[0].step, RUNS[1].step = 20, 100
    for by in SORTS:
        for reverse in (False, True):
            assert sorted(one.name for one in ordered(RUNS, by, reverse=reverse)) == sorted(
                one.name for one in RUNS
            )
    assert [one.name for one in ordered(RUNS, "step")] == ["done", "broken", "live", "newer"]
    assert [one.name for one in ordered(RUNS, "step", reverse=True)] == ["broken", "done", "live", "newer"]
