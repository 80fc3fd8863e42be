"""The Fleet table: what matters first, names before ids, numbers under one another, ends in words."""

import re
from typing import Any

import pytest

from remote.session.updates import LinkChanged, RunChanged, RunsSeen
from tests.tui.fake import START, WALL, events, view
from tests.tui.store.test_store import KEY, UP, said, tell
from trainer.telemetry.bands import Bands
from tui.store.alerts import Alert
from tui.store.fleet.fleet_look import FleetLook
from tui.store.store import Store
from tui.store.words import fixed, past
from tui.widgets.fleet.alert_lines import alert_lines
from tui.widgets.fleet.fleet_fit import Fit
from tui.widgets.fleet.fleet_rows import rows
from tui.widgets.keyed_table import Cells


def fleet(*views: Any, bands: Bands | None = None) -> Store:
    store = Store(["local"], bands)
    tell(store, LinkChanged(UP), RunsSeen(views, WALL))
    return store


def runs_of(store: Store) -> list[str]:
    return [key[1] for key in rows(store, START, WALL, Fit.of(160), FleetLook())[1].values()]


def row(store: Store, run_id: str, width: int = 160) -> Cells:
    return rows(store, START, WALL, Fit.of(width), FleetLook())[0][f"local/{run_id}"]


OVER = [view(f"aa-sweep{n:02d}-aaaaaa", state="succeeded", since=WALL - n) for n in range(14)]
DEAD = view("killself-bbbbbb", state="failed", since=WALL - 9000, reason="signal 9: out of memory")
LIVE = view("zz-live-cccccc", name="zz-live")


@pytest.mark.parametrize("order", [[*OVER, DEAD, LIVE], [LIVE, DEAD, *OVER], [DEAD, *OVER[::-1], LIVE]])
def test_live_then_failed_and_unseen_then_the_rest_whatever_came_first(order: list[Any]) -> None:
    store = Store(["local"])
    tell(store, LinkChanged(UP), *map(RunChanged, order))  # each by itself, before the list
    tell(store, RunsSeen(tuple(order), WALL))
    assert runs_of(store) == [LIVE.run_id, DEAD.run_id, *(one.run_id for one in OVER)]
    store.acknowledge()
    assert runs_of(store) == [LIVE.run_id, *(one.run_id for one in OVER), DEAD.run_id]


def test_a_failure_that_nobody_has_seen_is_never_folded_away() -> None:
    store = Store(["local", "box"])
    store.apply("box", RunsSeen((*OVER, DEAD), WALL), START, WALL)
    assert "box/killself-bbbbbb" in rows(store, START, WALL, Fit.of(160), FleetLook())[0]
    store.acknowledge()
    assert "box/killself-bbbbbb" not in rows(store, START, WALL, Fit.of(160), FleetLook())[0]


def test_what_failed_before_the_last_look_was_seen_and_a_new_attempt_was_not() -> None:
    store = fleet(*OVER[:2], DEAD)
    store.watch.looked = {"local": WALL - 100}
    assert runs_of(store)[-1] == DEAD.run_id
    tell(store, RunChanged(view("killself-bbbbbb", state="failed", since=WALL, attempt=2, seq=9)))
    assert runs_of(store)[0] == DEAD.run_id


@pytest.mark.parametrize(
    ("width", "said"), [(200, DEAD.reason), (160, DEAD.reason), (126, DEAD.reason), (80, "2 h ago: signal 9")]
)
def test_a_finished_row_says_why_and_when(width: int, said: str) -> None:
    cells = row(fleet(DEAD, OVER[0]), DEAD.run_id, width)
    assert any(cell.plain.startswith(said) for name, cell in cells.items() if name.endswith("+"))
    assert cells["data"].plain == ("2 h ago" if Fit.of(width).width("data") else "2 h")
    assert "over" not in {cell.plain for cell in cells.values()}


def test_the_name_stands_first_and_what_tells_it_apart_is_dim() -> None:
    store = fleet(LIVE, view("junk-run-5p7psg", name="junk-日本語-run"))
    shown = row(store, LIVE.run_id)["run"]
    assert shown.plain == "  zz-live-cccccc"
    assert [(shown.plain[span.start : span.end]) for span in shown.spans][-2:] == ["zz-live", "-cccccc"]
    assert row(store, "junk-run-5p7psg", 200)["run"].plain.startswith("  junk-日本語-run ")
    assert row(store, "junk-run-5p7psg")["run"].cell_len <= Fit.of(160).width("run")


def test_the_points_of_numbers_stand_under_one_another(bands: Bands) -> None:
    store = fleet(view(), bands=bands)
    widths = {"loss": 6, "u_val": 6, "R": 15, "grad": 7}
    ends = set()
    for value in (0.8, 0.62, 1.0, 2.5):
        tell(store, said(events(range(1), ce=value, total=value, u_val=value, R=value / 3, grad_norm=value)))
        store.forget_stream(KEY, "events")
        tell(store, said(events(range(1), ce=value, total=value, u_val=value, R=value / 3, grad_norm=value)))
        cells = row(store, KEY[1])
        assert {name: cells[name].cell_len for name in ("u_val", "R", "grad")} == {
            "u_val": 6,
            "R": 15,
            "grad": 7,
        }
        ends.add(tuple(len(cells[name].plain.rpartition(".")[2]) for name in widths))
    assert ends == {(3, 2, 2, 2)}


@pytest.mark.parametrize(("value", "said"), [
    (0.8, "0.800"), (12.3456, "12.346"), (412.0, "412.00"), (123456.7, "123457"), (0.0, "0.000"),
    (0.00001, "1.0e-5"), (float("nan"), "nan"), (None, "n/a"),
])  # fmt: skip
def test_fixed_decimals(value: float | None, said: str) -> None:
    assert fixed(value, 3, 6) == said


def test_past_changes_once_in_its_unit() -> None:
    assert [past(s) for s in (3, 65, 3599, 7300, 200_000)] == [
        "just now", "1 min ago", "59 min ago", "2 h ago", "2 d ago"
    ]  # fmt: skip


def test_alerts_tell_time_run_and_host_and_success_is_no_warning() -> None:
    told = [
        Alert(START, "box", "spiky-aaaaaa", "information", "spiky finished"),
        Alert(START - 60, "box", "spiky-bbbbbb", "error", "spiky failed"),
        Alert(START, "box", "", "warning", "link to box lost"),
    ]
    shown = alert_lines(told, START, WALL)
    assert [re.sub(r"\d\d:\d\d", "T", one.plain) for one in shown] == [
        "T  · spiky finished  spiky-aaaaaa on box",
        "T  ✖ spiky failed  spiky-bbbbbb on box",
        "T  ! link to box lost",
    ]
    assert str(shown[0].spans[1].style) != str(shown[2].spans[1].style)
