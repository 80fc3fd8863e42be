"""One line to type: what is meant, what stands there now, and `enter` takes it."""

from typing import ClassVar

from rich.text import Text
from textual.app import ComposeResult
from textual.binding import Binding
from textual.containers import Vertical
from textual.screen import ModalScreen
from textual.widgets import Input, Static

from tui.theme import DIM, PLAIN, STRONG, hue
from tui.widgets.lines import line


class TextPrompt(ModalScreen[str | None]):
    """Answers what was typed, without blanks around it; None where it was left."""

    CSS: ClassVar[str] = """
    TextPrompt { align: center middle; background: $background 60%; }
    TextPrompt > Vertical {
        width: 84; max-width: 96%; height: auto; max-height: 96%; padding: 1 2;
        background: $surface; border: round $border;
    }
    TextPrompt Input { border: none; padding: 0; height: 1; margin: 1 0; background: $panel; }
    """
    BINDINGS: ClassVar = [Binding("escape", "leave", show=False)]

    def __init__(self, text: str, does: str, *, value: str = "", hint: str = "", most: int = 0) -> None:
        """`text`: its first line says what is meant; `does`: what enter does; `value`: what stands there.

        `hint`: shown where nothing is typed; `most`: characters that may be typed, 0 for any number.
        """
        super().__init__()
        self._text, self._does = text, does
        self._value, self._hint, self._most = value, hint, most

    def compose(self) -> ComposeResult:
        """What is meant, the line, and the two ways on."""
        head, *facts = self._text.splitlines()
        rows = [Text(head, style=STRONG), *(Text(fact, style=PLAIN) for fact in facts)]
        key = hue("blue", bold=True)
        with Vertical():
            yield Static(Text("\n").join(rows), id="asked")
            yield Input(
                self._value,
                placeholder=self._hint,
                compact=True,
                max_length=self._most,
                select_on_focus=False,
            )
            yield Static(
                line(("enter", key), (f" {self._does}   ", PLAIN), ("esc", key), (" leaves it", DIM))
            )

    def on_mount(self) -> None:
        """Begin where one types."""
        self.query_one(Input).focus()

    def on_input_submitted(self, event: Input.Submitted) -> None:
        """It was typed."""
        self.dismiss(event.value.strip())

    def action_leave(self) -> None:
        """Nothing happens."""
        self.dismiss(None)
