"""The configuration of a run: every value with its origin; typed letters search keys, values and origins."""

from collections.abc import Callable, Sequence
from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import Binding
from textual.containers import Vertical
from textual.screen import ModalScreen
from textual.widgets import Input, Static

from tui.store.compare.config_sheet import ConfigSheet
from tui.store.compare.config_values import ConfigValue
from tui.theme import DIM, FAINT, PLAIN, STRONG, hue
from tui.widgets.keyed_table import Cells, KeyedTable
from tui.widgets.lines import line


class ConfigPage(ModalScreen[None]):
    """Asks `sheet` for what is known; the host's answer fills it while it is open."""

    CSS: ClassVar[str] = """
    ConfigPage { align: center middle; background: $background 60%; }
    ConfigPage > Vertical {
        width: 124; max-width: 98%; height: 90%; padding: 1 2;
        background: $surface; border: round $border;
    }
    ConfigPage Input { border: none; padding: 0; height: 1; margin: 1 0; background: $panel; }
    ConfigPage KeyedTable { background: $surface; }
    ConfigPage #said { height: auto; }
    """
    BINDINGS: ClassVar = [
        Binding("escape", "leave", show=False),
        Binding("down", "move(1)", show=False, priority=True),
        Binding("up", "move(-1)", show=False, priority=True),
        Binding("pagedown", "page(1)", show=False, priority=True),
        Binding("pageup", "page(-1)", show=False, priority=True),
    ]

    def __init__(self, title: str, sheet: Callable[[], ConfigSheet]) -> None:
        super().__init__()
        self._title, self._sheet = title, sheet

    def compose(self) -> ComposeResult:
        """A line to type on, the values, and how much of them is shown."""
        with Vertical():
            yield Static(line((self._title, STRONG)))
            yield Input(placeholder="search: letters of a key, a value or an origin", compact=True)
            yield KeyedTable("values")
            yield Static(id="said")

    def on_mount(self) -> None:
        """What is known already, at once; then whenever something may have come."""
        self.query_one(Input).focus()
        self.call_after_refresh(self.fill)
        self.set_interval(0.3, self.fill)

    def fill(self) -> None:
        """Show what is known and what was searched for."""
        sheet, table = self._sheet(), self.query_one(KeyedTable)
        values = found(sheet.values or (), self.query_one(Input).value)
        width = max(self.query_one(KeyedTable).size.width, 40)
        origin = min(max(width // 4, 14), 36)
        key = min(36, width // 3)
        table.lay(
            [
                ("key", "key", key),
                ("value", "value", max(width - key - origin - 7, 8)),
                ("from", "from", origin),
            ]
        )
        table.show({one.key: cells(one) for one in values})
        self.query_one("#said", Static).update(line((said(sheet, values), DIM)))

    def on_input_changed(self) -> None:
        """Fewer, or more again."""
        self.fill()

    def action_move(self, change: int) -> None:
        """A row further."""
        self.query_one(KeyedTable).action_move(change)

    def action_page(self, change: int) -> None:
        """A screenful further."""
        self.query_one(KeyedTable).action_page(change)

    def action_leave(self) -> None:
        """Close it."""
        self.dismiss(None)


def found(values: Sequence[ConfigValue], text: str) -> list[ConfigValue]:
    """Those in which every word occurs; what somebody chose first, then the preset's, then defaults."""
    words = text.lower().split()
    kept = [
        one for one in values if all(word in f"{one.key} {one.text} {one.origin}".lower() for word in words)
    ]
    return sorted(kept, key=lambda one: 0 if one.is_chosen else 1 if one.origin != "default" else 2)


def said(sheet: ConfigSheet, shown: Sequence[ConfigValue]) -> str:
    """How much is shown, or why there is nothing."""
    if sheet.values is None:
        return sheet.trouble or "its host is asked"
    chosen = sum(one.is_chosen for one in sheet.values)
    return f"{len(shown)} of {len(sheet.values)} values, {chosen} chosen by hand; esc closes"


def cells(one: ConfigValue) -> Cells:
    """One value: bright where somebody chose it, dim where it is the default."""
    style = hue("amber", bold=True) if one.is_chosen else FAINT if one.origin == "default" else PLAIN
    return {
        "key": line((one.key, FAINT if one.origin == "default" else PLAIN)),
        "value": line((one.text, style)),
        "from": line((one.origin or "its spec", DIM)),
    }
