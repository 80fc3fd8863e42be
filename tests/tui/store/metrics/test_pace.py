"""A run's pace and its silences, on a clock that the test moves."""

import math

import pytest

from tui.store.metrics.pace import LEAST_S, PACES, UNKNOWN_S, RowPace

PACE_S = [0.02, 0.5, 5.0, 400.0]


def paced(every: float, rows: int, begun: float = 1000.0) -> tuple[RowPace, float]:
    """A pace of rows that come with some jitter, and the time of the last one."""
    pace, t = RowPace(), begun
    for step in range(1, rows + 1):
        t += every * (1 + 0.3 * math.sin(step * 2.4))
        pace.row(step, t)
    return pace, t


@pytest.mark.parametrize("every", PACE_S)
def test_a_run_that_writes_is_never_called_stalled(every: float) -> None:
    """Right before each row the silence is shorter than what is allowed, from the first row on."""
    pace, t = RowPace(), 0.0
    for step in range(1, 400):
        wait = every * (1 + 0.3 * math.sin(step * 2.4))
        if step > 1:
            assert wait < pace.stall_s(t)
        t += wait
        pace.row(step, t)
    assert pace.step_s == pytest.approx(every, rel=0.1)


@pytest.mark.parametrize("every", PACE_S)
def test_a_run_that_is_frozen_for_ten_paces_is_stalled(every: float) -> None:
    pace, _ = paced(every, 100)
    assert pace.row_s is not None
    assert pace.stall_s() == pytest.approx(max(PACES * pace.row_s, LEAST_S))
    assert pace.stall_s() <= max(PACES * every * 1.1, LEAST_S)


@pytest.mark.parametrize("rows", [0, 1, 2, 3])
def test_while_the_pace_is_not_known_it_is_three_minutes(rows: int) -> None:
    pace, _ = paced(0.5, rows)
    assert pace.stall_s() == UNKNOWN_S
    assert paced(0.5, 4)[0].stall_s() < UNKNOWN_S


def test_a_slow_beginning_is_no_stall() -> None:
    pace, _ = paced(400.0, 1)
    assert pace.stall_s(400.0) > 400.0


def test_pauses_that_come_again_belong_to_the_pace_and_one_alone_does_not() -> None:
    """An evaluation of a minute after every hundred rows; and a laptop's lid that was closed for an hour."""

    def after(*pauses: float) -> float:
        pace, t = paced(0.5, 100)
        for number, pause in enumerate(pauses):
            t += pause
            for step in range(1, 101):
                pace.row(100 * (number + 1) + step, t + 0.5 * step)
            t += 50.0
        return pace.stall_s()

    assert after() == after(60.0) == after(3600.0) == 5.0
    assert after(59.5, 59.5) == 120.0
    assert after(59.5, 3600.0, 59.5) == 120.0


def test_rows_that_come_at_once_are_one_moment() -> None:
    pace = RowPace()
    for burst in range(1, 5):
        for row in range(40):
            pace.row(40 * burst + row, 600.0 * burst)
    assert (pace.row_s, pace.step_s, pace.stall_s()) == (600.0, 15.0, 6000.0)


def test_a_new_attempt_and_rows_without_times_have_no_pace() -> None:
    pace, t = paced(0.5, 50)
    pace.row(10, t + 1)
    assert (pace.step_s, pace.rows, pace.stall_s()) == (None, 1, UNKNOWN_S)
    untimed = RowPace()
    for step in range(10):
        untimed.row(step, 0.0)
    assert (untimed.step_s, untimed.rows) == (None, 10)
