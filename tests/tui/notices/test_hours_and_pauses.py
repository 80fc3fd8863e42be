"""Quiet hours and pauses between tries, on a moved clock."""

from datetime import datetime
from email.utils import formatdate

import pytest

from tui.notices.back_off import AFTER_MAX_S, AGE_MAX_S, is_hopeless, pause_s, retry_after_s
from tui.notices.quiet_hours import QuietHours

NIGHT = QuietHours(22 * 60, 7 * 60, "error")


def at(hour: int, minute: int = 0) -> datetime:
    return datetime(2026, 3, 14, hour, minute)


@pytest.mark.parametrize(
    ("hour", "minute", "held"), [(21, 59, False), (22, 0, True), (3, 0, True), (6, 59, True), (7, 0, False)]
)
def test_hours_over_midnight_hold_what_is_not_grave(hour: int, minute: int, held: bool) -> None:
    assert NIGHT.holds("warning", at(hour, minute)) is held
    assert not NIGHT.holds("error", at(hour, minute))


def test_hours_within_a_day_and_none_at_all() -> None:
    lunch = QuietHours(12 * 60, 13 * 60)
    assert [lunch.holds("error", at(hour)) for hour in (11, 12, 13)] == [False, True, False]
    assert not any(QuietHours().holds("information", at(hour)) for hour in range(24))


def test_pauses_double_to_a_limit_and_a_server_may_ask_for_more_but_not_for_ever() -> None:
    assert [pause_s(tries) for tries in (1, 2, 3, 4, 10, 11, 5000)] == [1, 2, 4, 8, 512, 900, 900]
    assert pause_s(1, 30.0) == 30.0
    assert pause_s(5, 2.0) == 16.0
    assert pause_s(1, 1e9) == AFTER_MAX_S


def test_it_is_given_up_after_a_day_or_many_tries() -> None:
    assert not is_hopeless(3, 60.0)
    assert is_hopeless(3, AGE_MAX_S)
    assert is_hopeless(500, 60.0)


def test_what_a_server_asks_is_seconds_or_a_date_and_else_nothing() -> None:
    wall = 1_700_000_000.0
    assert retry_after_s(" 120 ", wall) == 120.0
    assert retry_after_s("1.5", wall) == 1.5
    assert retry_after_s(formatdate(wall + 60, usegmt=True), wall) == pytest.approx(60.0, abs=1)
    assert retry_after_s(formatdate(wall - 60, usegmt=True), wall) == 0.0
    assert retry_after_s("9" * 400, wall) == AFTER_MAX_S
    for text in ("", "soon", "-5", "nan", "²", "Wed, 99 Foo 2026 99:99:99 GMT"):
        assert retry_after_s(text, wall) is None
