"""Every metric of a run, to choose one for a chart: typed letters narrow the list."""

from collections.abc import Sequence
from typing import ClassVar

from rich.text import Text
from textual.app import ComposeResult
from textual.binding import Binding
from textual.containers import Vertical
from textual.screen import ModalScreen
from textual.widgets import Input, OptionList, Static
from textual.widgets.option_list import Option

from tui.store.metrics.catalogue import Metric
from tui.store.runs import RunRecord
from tui.store.words import fine
from tui.theme import DIM, FAINT, PLAIN, STRONG, hue
from tui.widgets.lines import line

BY_ITSELF = ""
"""What is answered for the charts that a run has by itself."""


class MetricPicker(ModalScreen[str | None]):
    """Answers the name of a metric, BY_ITSELF for the charts as they were at first, None for nothing."""

    CSS: ClassVar[str] = """
    MetricPicker { align: center middle; background: $background 60%; }
    MetricPicker > Vertical {
        width: 96; max-width: 96%; height: auto; max-height: 92%; padding: 1 2;
        background: $surface; border: round $border;
    }
    MetricPicker Input { border: none; padding: 0; height: 1; margin: 1 0; background: $panel; }
    MetricPicker OptionList {
        height: auto; max-height: 60vh; border: none; padding: 0; background: $surface;
        text-wrap: nowrap; text-overflow: ellipsis;
    }
    """
    BINDINGS: ClassVar = [
        Binding("escape", "leave", show=False),
        Binding("down", "move(1)", show=False, priority=True),
        Binding("up", "move(-1)", show=False, priority=True),
    ]

    def __init__(self, run: RunRecord, charted: Sequence[str], where: str) -> None:
        """`charted`: what is on charts now; `where`: which chart is meant, in words."""
        super().__init__()
        self._where = where
        self._rows = {name: metric_row(run, one, name in charted) for name, one in run.catalogue.items()}
        self._rows[BY_ITSELF] = line(("  as at first: ", DIM), ("the most telling ones by themselves", PLAIN))

    def compose(self) -> ComposeResult:
        """A line to type on, and what it leaves."""
        with Vertical():
            yield Static(line(("a metric onto ", DIM), (self._where, STRONG)))
            yield Input(placeholder="letters of its name", compact=True)
            yield OptionList()
            yield Static(line(("no metric of this run has these letters", DIM)), id="none")

    def on_mount(self) -> None:
        """All of them at first."""
        self._narrow("")
        self.query_one(Input).focus()

    def _narrow(self, text: str) -> None:
        found = [name for name in self._rows if text.lower() in name.lower()]
        options = self.query_one(OptionList)
        options.clear_options()
        options.add_options([Option(self._rows[name], id=f"m{index}") for index, name in enumerate(found)])
        self._found = found
        options.highlighted = 0 if found else None
        self.query_one("#none").display = not found

    def on_input_changed(self, event: Input.Changed) -> None:
        """Fewer, or more again."""
        self._narrow(event.value.strip())

    def on_input_submitted(self) -> None:
        """The one that is highlighted."""
        place = self.query_one(OptionList).highlighted
        if place is not None:
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
        """Nothing changes."""
        self.dismiss(None)


def metric_row(run: RunRecord, one: Metric, charted: bool) -> Text:
    """Its name, newest value and unit, what kind it is, and since when it is told."""
    kind = f"{'held-out ' if one.is_held_out else ''}{one.kind}"
    return line(
        ("● " if charted else "  ", hue("green")),
        (f"{one.name[:29]:<30}", STRONG if charted else PLAIN),
        (f"{fine(run.newest(one.name)):>9}", PLAIN),
        (f" {one.unit:<10}", DIM),
        (f" {kind:<18}", DIM),
        (f"from {one.axis} {one.first:,}", FAINT),
    )
