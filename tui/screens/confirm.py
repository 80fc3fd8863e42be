"""Are you sure: the exact target, what it costs, how it goes on. The same key again does it."""

from typing import ClassVar

from rich.text import Text
from textual.app import ComposeResult
from textual.binding import Binding
from textual.containers import Vertical
from textual.screen import ModalScreen
from textual.widgets import Static

from remote.view import RunView
from tui.theme import DIM, PLAIN, STRONG, hue
from tui.widgets.lines import line

KEYS = {"stop": "x", "kill": "K"}


class Confirm(ModalScreen[bool]):
    """One question about one run, captured when the dialog opened."""

    CSS: ClassVar[str] = """
    Confirm { align: center middle; background: $background 60%; }
    Confirm > Vertical {
        width: 76; max-width: 96%; height: auto; max-height: 96%; padding: 1 2;
        background: $surface; border: round $border;
    }
    Confirm.kill > Vertical { border: round $error; }
    """
    BINDINGS: ClassVar = [
        Binding("x", "same('stop')", show=False),
        Binding("K", "same('kill')", show=False),
        Binding("escape,q,n", "leave", show=False),
    ]

    def __init__(self, action: str, view: RunView, host: str, step: int | None) -> None:
        super().__init__(classes=action)
        self._action = action
        self._key = KEYS[action]
        self._text = describe(action, view, host, step)

    def compose(self) -> ComposeResult:
        """The question, its facts, and the two ways on."""
        head, *facts = self._text.splitlines()
        colour = hue("red", bold=True) if self._action == "kill" else STRONG
        rows = [Text(head, style=colour), Text("")] + [Text(fact, style=PLAIN) for fact in facts]
        ways = line(
            (self._key, hue("blue", bold=True)),
            (f" again: {self._action} it   ", PLAIN),
            ("esc", hue("blue", bold=True)),
            (" leave it alone", DIM),
        )
        with Vertical():
            yield Static(Text("\n").join(rows), id="question")
            yield Static(Text("\n") + ways, id="ways")

    def action_same(self, action: str) -> None:
        """The same key again; the other one does nothing here."""
        if action == self._action:
            self.dismiss(True)
        else:
            self.notify(f"this asks about `{self._key}`; esc leaves it alone", markup=False)

    def action_leave(self) -> None:
        """Nothing happens."""
        self.dismiss(False)


def describe(action: str, view: RunView, host: str, step: int | None) -> str:
    """The words of the dialog."""
    from remote.actions import describe_kill, describe_stop

    return (describe_stop if action == "stop" else describe_kill)(view, host, step)
