"""A list to choose from: typed letters narrow it, `enter` takes one."""

from collections.abc import Mapping
from typing import ClassVar

from rich.text import Text
from textual.app import ComposeResult
from textual.binding import Binding
from textual.containers import Vertical
from textual.screen import ModalScreen
from textual.widgets import Input, OptionList, Static
from textual.widgets.option_list import Option

from tui.theme import DIM
from tui.widgets.lines import line


class Picker(ModalScreen[str | None]):
    """Answers the name of a row; None where nothing was chosen."""

    CSS: ClassVar[str] = """
    Picker { align: center middle; background: $background 60%; }
    Picker > Vertical {
        width: 100; max-width: 96%; height: auto; max-height: 92%; padding: 1 2;
        background: $surface; border: round $border;
    }
    Picker Input { border: none; padding: 0; height: 1; margin: 1 0; background: $panel; }
    Picker OptionList {
        height: auto; max-height: 60vh; border: none; padding: 0; background: $surface;
        text-wrap: nowrap; text-overflow: ellipsis;
    }
    """
    BINDINGS: ClassVar = [
        Binding("escape", "leave", show=False),
        Binding("down", "move(1)", show=False, priority=True),
        Binding("up", "move(-1)", show=False, priority=True),
    ]

    def __init__(self, title: Text, rows: Mapping[str, Text], hint: str, none: str) -> None:
        """`rows`: by their names; `hint`: what is typed; `none`: what is said where no row is left."""
        super().__init__()
        self._title, self._rows, self._hint, self._none = title, dict(rows), hint, none
        self._found: list[str] = []

    def compose(self) -> ComposeResult:
        """A line to type on, and what it leaves."""
        with Vertical():
            yield Static(self._title)
            yield Input(placeholder=self._hint, compact=True)
            yield OptionList()
            yield Static(line((self._none, DIM)), id="none")

    def on_mount(self) -> None:
        """All of them at first."""
        self._narrow("")
        self.query_one(Input).focus()

    def fits(self, text: str) -> list[str]:
        """The rows with all these words; first the one of this name, then those that begin so."""
        words, typed = text.lower().split(), text.lower()
        found = [name for name, row in self._rows.items() if all(word in row.plain.lower() for word in words)]
        return sorted(found, key=lambda name: (name.lower() != typed, not name.lower().startswith(typed)))

    def _narrow(self, text: str) -> None:
        self._found = self.fits(text)
        options = self.query_one(OptionList)
        options.clear_options()
        options.add_options([Option(self._rows[name], id=f"o{at}") for at, name in enumerate(self._found)])
        options.highlighted = 0 if self._found else None
        self.query_one("#none").display = not self._found

    def on_input_changed(self, event: Input.Changed) -> None:
        """Fewer, or more again."""
        self._narrow(event.value)

    def on_input_submitted(self) -> None:
        """The one that is highlighted."""
        place = self.query_one(OptionList).highlighted
        if place is not None and self._found:
            self.dismiss(self._found[place])

    def on_option_list_option_selected(self, event: OptionList.OptionSelected) -> None:
        """A click."""
        self.dismiss(self._found[event.option_index])

    def action_move(self, change: int) -> None:
        """The next one, or the one before."""
        options = self.query_one(OptionList)
        if self._found:
            options.highlighted = ((options.highlighted or 0) + change) % len(self._found)

    def action_leave(self) -> None:
        """Nothing is chosen."""
        self.dismiss(None)
