"""The loss and the time left of a run in its row of the Fleet."""

import math

import pytest

from remote.session.updates import RunChanged
from tests.tui.fake import START, WALL, events, view
from tests.tui.store.test_store import KEY, said, tell
from tests.tui.widgets.test_fleet_rows import fleet, row
from tui.store.fleet.fleet_look import FleetLook
from tui.store.metrics.series import Series
from tui.widgets.fleet import run_progress
from tui.widgets.fleet.fleet_fit import Fit
from tui.widgets.fleet.fleet_rows import rows
from tui.widgets.fleet.run_progress import BLOCKS, blocks, time_left


def series(*values: float) -> Series:
    made = Series()
    for step, value in enumerate(values):
        made.append(10 * step, value)
    return made


def test_a_block_is_the_mean_of_its_part() -> None:
    assert blocks(series(*(8 - n // 10 for n in range(80))), 8) == BLOCKS[::-1]
    assert blocks(series(*([1.0] * 10 + [math.nan] * 10 + [1.0] * 20)), 4) == "▁✕▁▁"
    late = series(5.0, 5.0)
    late.append(100, 1.0)
    assert blocks(late, 5) == "█   ▁"


def test_few_parts_far_out_do_not_press_the_others_flat() -> None:
    shown = blocks(series(*(400.0 if n == 300 else 2 + n % 2 * 0.1 - n / 1000 for n in range(500))), 50)
    assert len(set(shown)) >= 6


def test_nothing_is_drawn_of_what_was_not_told() -> None:
    assert [blocks(one, 8) for one in (Series(), series(1.0), series(math.nan, math.nan))] == ["", "", ""]


@pytest.mark.parametrize(
    ("seconds", "left"),
    [
        (None, ""), (math.nan, ""), (-5.0, ""), (30.0, "<1 min"), (600.0, "10 min"), (7300.0, "2 h"),
        (2e5, "2 d"), (1e15, "9999 d"),
    ],
)  # fmt: skip
def test_the_time_left_is_told_in_one_unit(seconds: float | None, left: str) -> None:
    assert time_left(seconds) == left


def test_a_row_has_its_curve_and_its_bar_and_one_that_is_over_no_bar(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    store = fleet(view())
    tell(store, said(events(range(0, 1501, 10))))
    wide, narrow = row(store, KEY[1], 210), row(store, KEY[1], 160)
    assert wide["link"].plain.startswith("█")
    assert len(wide["link"].plain) == Fit.of(210).width("link")
    assert wide["eta"].plain == "━━━━──── 3 min"
    assert len(narrow["link"].plain) == Fit.of(160).width("link")
    monkeypatch.setattr(run_progress, "blocks", lambda *_: pytest.fail("drawn again though no row came"))
    again = rows(store, START + 5, WALL + 5, Fit.of(160), FleetLook())[0]
    assert again[f"local/{KEY[1]}"]["link"] == narrow["link"]
    tell(store, RunChanged(view(state="succeeded", seq=9)))
    assert row(store, KEY[1], 160)["eta"].plain == ""
