"""Charts under keys and the mouse, in the real application."""

import pytest
from textual.events import MouseScrollUp

from tests.tui.driving import press, settle
from tests.tui.fake import FakeSession, cockpit, events, view
from tui.app import Cockpit
from tui.store.metrics.chart_window import WHOLE
from tui.widgets.chart.chart import Chart
from tui.widgets.chart.chart_grid import ChartGrid
from tui.widgets.chart.frame import GUTTER


def charts(app: Cockpit) -> list[Chart]:
    return app.screen.query_one(ChartGrid).shown


def shown(chart: Chart) -> tuple[float, float]:
    ruler = chart._ruler()
    return round(ruler.low), round(ruler.high)


def is_picked(chart: Chart) -> bool:
    return chart.view.picked is not None


async def test_the_mouse_zooms_takes_ranges_and_moves_all_charts_or_one() -> None:
    session = FakeSession()
    app = cockpit(session)
    async with app.run_test(size=(160, 50)) as pilot:
        await settle(pilot, app)
        session.connect(view())
        await settle(pilot, app)
        app.open_run(("local", view().run_id))
        await settle(pilot, app)
        session.send(view().run_id, "events", events(range(0, 1001, 10)))
        await settle(pilot, app)
        first, second = charts(app)[:2]
        columns = first._ruler().columns
        assert {one._ruler().columns for one in charts(app)} == {columns}, "steps line up"
        at = (GUTTER + columns // 4, 4)
        assert await pilot._post_mouse_events([MouseScrollUp], first, offset=at)
        await settle(pilot, app)
        low, high = shown(first)
        assert high - low == pytest.approx(800, abs=2)
        assert low < 250 < high
        assert {shown(one) for one in charts(app)} == {(low, high)}
        await pilot.click(first, offset=at, times=2)
        await settle(pilot, app)
        assert {one.view.window for one in charts(app)} == {WHOLE}
        await press(pilot, app, "l")
        await pilot.mouse_down(first, offset=at)
        await pilot.hover(first, offset=(GUTTER + columns // 2, 6))
        await settle(pilot, app)
        assert is_picked(first)
        await pilot.mouse_up(first, offset=(GUTTER + columns // 2, 6))
        await settle(pilot, app)
        assert not is_picked(first)
        assert list(shown(first)) == pytest.approx([250, 500], abs=30)
        assert second.view.window == WHOLE
        before = shown(first)
        foot = first.size.height - 1
        await pilot.mouse_down(first, offset=(GUTTER + 4, foot))
        await pilot.hover(first, offset=(GUTTER + 4 + columns // 5, foot))
        await pilot.mouse_up(first, offset=(GUTTER + 4 + columns // 5, foot))
        await settle(pilot, app)
        assert shown(first)[0] == pytest.approx(before[0] - 50, abs=30)
        await press(pilot, app, "0", "right", "right", "b", "right", "right", "right", "z")
        assert shown(first)[1] - shown(first)[0] < 150
        await press(pilot, app, "0", "u")
        assert first._ruler().axis.along == "time"
        assert shown(first)[0] == 0 < shown(first)[1] < 60
        await press(pilot, app, "u", "C", "C", "C")
        assert first._ruler().axis.along == "tokens"
        assert len({one.region.x for one in charts(app)}) == 3
