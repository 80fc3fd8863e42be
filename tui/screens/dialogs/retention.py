"""What a run's policy lets go: exactly what goes to the trash, what stays, and by which rule."""

from collections.abc import Sequence
from typing import ClassVar

from rich.text import Text
from textual.app import ComposeResult
from textual.binding import Binding
from textual.containers import Vertical, VerticalScroll
from textual.events import Key as Pressed
from textual.screen import ModalScreen
from textual.widgets import Static

from remote.actions.describe import describe_retention
from remote.protocol.trained import RetentionAnswer
from tui.keys import key_of, presses
from tui.store.kept.shelf import ShelfRow
from tui.theme import DIM, PLAIN, STRONG, hue
from tui.widgets.lines import line
from tui.widgets.retention_rows import retention_rows


class RetentionDialog(ModalScreen[bool]):
    """The plan as the host told it; what is answered is that very plan."""

    CSS: ClassVar[str] = """
    RetentionDialog { align: center middle; background: $background 60%; }
    RetentionDialog > Vertical {
        width: 84; max-width: 96%; height: auto; max-height: 96%; padding: 1 2;
        background: $surface; border: round $border;
    }
    RetentionDialog VerticalScroll { height: auto; max-height: 60vh; margin: 1 0 0 0; }
    """
    BINDINGS: ClassVar = [
        Binding("escape,q,n", "leave", show=False),
        Binding("up,k", "scroll(-1)", show=False, priority=True),
        Binding("down,j", "scroll(1)", show=False, priority=True),
        Binding("pageup", "scroll(-10)", show=False, priority=True),
        Binding("pagedown", "scroll(10)", show=False, priority=True),
    ]

    def __init__(self, run_id: str, host: str, plan: RetentionAnswer, rows: Sequence[ShelfRow]) -> None:
        """`rows`: what is known of the checkpoints beside their names."""
        super().__init__()
        self._goes = len(plan.remove)
        self._head = describe_retention(run_id, host, self._goes, len(plan.keep))
        self._rows = retention_rows(plan, rows)

    def compose(self) -> ComposeResult:
        """The question, each checkpoint with what becomes of it, and the two ways on."""
        first, *more = self._head.splitlines()
        head = [Text(first, style=STRONG), *(Text(fact, style=PLAIN) for fact in more)]
        key = hue("blue", bold=True)
        again = [(key_of("retain").shown, key), (" again: into the trash   ", PLAIN)] if self._goes else []
        with Vertical():
            yield Static(Text("\n").join(head), id="question")
            with VerticalScroll(can_focus=False):
                yield Static(Text("\n").join(self._rows), id="plan")
            yield Static(
                Text("\n") + line(*again, ("esc", key), (" leave them", DIM), ("   ↑ ↓ scroll", DIM)),
                id="ways",
            )

    def on_key(self, event: Pressed) -> None:
        """The same key again; where nothing goes it only closes."""
        if presses("retain", event.key):
            event.stop().prevent_default()  # or the screen below would take it, too
            self.dismiss(self._goes > 0)

    def action_scroll(self, lines: int) -> None:
        """Through a long list."""
        self.query_one(VerticalScroll).scroll_relative(y=lines, animate=False)

    def action_leave(self) -> None:
        """Nothing happens."""
        self.dismiss(False)
