"""The table of named rows: what differs is drawn, and the cursor belongs to its row."""

import pytest
from rich.style import Style
from rich.text import Text
from textual.app import App, ComposeResult
from textual.strip import Strip

from tui.widgets.keyed_table import HEADER, Cells, KeyedTable

COLUMNS = [("name", "name", 8), ("value", "value", 5)]


def rows(*names: str, value: str = "1") -> dict[str, Cells]:
    return {name: {"name": Text(name), "value": Text(value)} for name in names}


class Shown(App[None]):
    """A table and nothing else."""

    def compose(self) -> ComposeResult:
        yield KeyedTable("table")

    @property
    def table(self) -> KeyedTable:
        return self.query_one(KeyedTable)

    def chosen(self) -> str | None:
        return self.table.chosen

    def text(self) -> list[str]:
        return [strip.text.rstrip() for strip in self.screen._compositor.render_strips()]


async def test_only_rows_that_differ_are_drawn_again() -> None:
    app = Shown()
    async with app.run_test(size=(30, 8)) as pilot:
        app.table.lay(COLUMNS)
        app.table.show(rows("a", "b", "c"))
        await pilot.pause()
        assert app.text()[:4] == [" name      value", " a         1", " b         1", " c         1"]
        drawn = dict(app.table._drawn)
        app.table.show(rows("a", "c") | rows("b", value="2") | rows("c"))
        await pilot.pause()
        assert app.text()[1:4] == [" a         1", " c         1", " b         2"]
        assert app.table._drawn["a"] is drawn["a"]
        assert app.table._drawn["b"] is not drawn["b"]
        app.table.show(rows("a", "c", "b", value="2"))
        app.table.show({"a": {"name": Text("a", style=Style(bold=True)), "value": Text("2")}})
        await pilot.pause()
        assert app.text()[1:3] == [" a         2", ""]
        assert any(segment.style and segment.style.bold for segment in app.table._drawn["a"])


async def test_a_cell_that_changes_paints_its_line_and_no_other(monkeypatch: pytest.MonkeyPatch) -> None:
    """A whole screen twice a second, for an age that grows, fills a slow line."""
    app, painted = Shown(), list[int]()
    paint = KeyedTable.render_line

    def counted(self: KeyedTable, y: int) -> Strip:
        painted.append(y)
        return paint(self, y)

    async with app.run_test(size=(30, 8)) as pilot:
        app.table.lay(COLUMNS)
        names = [f"row{number:02d}" for number in range(40)]
        app.table.show(rows(*names))
        app.table.choose("row20")
        await pilot.pause()
        top = app.table.scroll_offset.y
        monkeypatch.setattr(KeyedTable, "render_line", counted)
        for changed in ("row20", "row00", "row39"):  # the others are out of sight
            app.table.show(rows(*names) | rows(changed, value="2"))
            await pilot.pause()
        assert set(painted) == {20 - top + HEADER}
        assert " row20     2" not in app.text()  # it changed back when another one did
        app.table.show(rows(*names[1:]))
        await pilot.pause()
        assert len(set(painted)) > 1  # the control: another order is a whole new picture


async def test_the_cursor_and_what_is_seen_stay_when_rows_come_above() -> None:
    app = Shown()
    async with app.run_test(size=(30, 8)) as pilot:
        app.table.lay(COLUMNS)
        names = [f"row{number:02d}" for number in range(40)]
        app.table.show(rows(*names))
        await pilot.pause()
        assert app.table.chosen == "row00"
        app.table.choose("row20")
        await pilot.pause()
        before = next(place for place, line in enumerate(app.text()) if "row20" in line)
        app.table.show(rows("new1", "new2", *names))
        await pilot.pause()
        assert app.table.chosen == "row20"
        assert "row20" in app.text()[before]
        app.table.show(rows(*names[5:]))
        await pilot.pause()
        assert app.table.chosen == "row20"
        assert "row20" in app.text()[before]


async def test_when_the_chosen_row_goes_nothing_is_chosen_until_the_operator_moves() -> None:
    app = Shown()
    async with app.run_test(size=(30, 8)) as pilot:
        app.table.lay(COLUMNS)
        app.table.show(rows("a", "b", "c"))
        app.table.focus()
        await pilot.press("down")
        assert app.chosen() == "b"
        app.table.show(rows("a", "c"))
        assert app.chosen() is None
        app.table.show(rows("a", "b", "c"))
        assert app.chosen() is None
        await pilot.press("up")
        assert app.chosen() == "a"
        app.table.show({})
        assert app.chosen() is None


async def test_keys_and_clicks_choose_and_the_chosen_row_is_in_view() -> None:
    app = Shown()
    async with app.run_test(size=(30, 8)) as pilot:
        app.table.lay(COLUMNS)
        app.table.show(rows(*(f"row{number:02d}" for number in range(40))))
        app.table.focus()
        for key, row in (("end", "row39"), ("pageup", "row33"), ("home", "row00"), ("pagedown", "row06")):
            await pilot.press(key)
            await pilot.pause()
            assert app.table.chosen == row
            assert any(row in line for line in app.text())
        place = next(place for place, line in enumerate(app.text()) if "row04" in line)
        await pilot.click(KeyedTable, offset=(3, place))
        assert app.table.chosen == "row04"
        await pilot.click(KeyedTable, offset=(3, 0))
        assert app.table.chosen == "row04"


async def test_what_is_too_long_is_cut_and_wide_signs_keep_their_columns() -> None:
    app = Shown()
    async with app.run_test(size=(30, 8)) as pilot:
        app.table.lay(COLUMNS)
        app.table.show({"a": {"name": Text("a very long name"), "value": Text("🌀 .6")}})
        await pilot.pause()
        assert app.text()[1] == " a very …  🌀 .6"
