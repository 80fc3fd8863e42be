"""Are you sure: the exact target, what it costs, how it goes on. The same key again does it."""

from typing import ClassVar

from rich.text import Text
from textual.app import ComposeResult
from textual.binding import Binding
from textual.containers import Vertical, VerticalScroll
from textual.events import Key as Pressed
from textual.screen import ModalScreen
from textual.widgets import Input, Static

from remote.protocol.views import RunView
from tui.keys import key_of, presses
from tui.theme import DIM, PLAIN, STRONG, hue
from tui.widgets.lines import line

ACTIONS = ("stop", "kill", "reap", "end", "resume", "archive", "trash", "move_run", "skip_shard")
WORDS = {"reap": "end", "move_run": "move", "skip_shard": "skip"}
CALM = frozenset({"stop", "resume", "archive", "trash", "move_run"})  # nothing is lost by them


class Confirm(ModalScreen[bool]):
    """One question about one target, captured when the dialog opened."""

    CSS: ClassVar[str] = """
    Confirm { align: center middle; background: $background 60%; }
    Confirm > Vertical {
        width: 76; max-width: 96%; height: auto; max-height: 96%; padding: 1 2;
        background: $surface; border: round $border;
    }
    Confirm.kill > Vertical, Confirm.reap > Vertical, Confirm.end > Vertical { border: round $error; }
    Confirm VerticalScroll { height: auto; max-height: 60vh; }
    Confirm Input { background: $panel; margin: 1 0 0 0; }
    """
    BINDINGS: ClassVar = [
        Binding("escape,q,n", "leave", show=False),
    ]

    def __init__(self, action: str, text: str, name: str = "", what: str = "") -> None:
        """`text`: its first line asks. `name`: what must be typed, and `what` in a word that is; empty: the
        same key is enough."""
        super().__init__(classes=action)
        self._action, self._text = action, text
        self._target, self._what = name, what or ("pid" if action == "end" else "name")

    @property
    def _word(self) -> str:
        return WORDS.get(self._action, self._action)

    def compose(self) -> ComposeResult:
        """The question, its facts, and the two ways on."""
        head, *facts = self._text.splitlines()
        colour = STRONG if self._action in CALM else hue("red", bold=True)
        rows = [Text(head, style=colour), Text("")] + [Text(fact, style=PLAIN) for fact in facts]
        key = hue("blue", bold=True)
        if self._target:
            way = line(
                ("enter", key), (f" after its {self._what}, {self._target}: {self._word} it   ", PLAIN)
            )
        else:
            way = line((key_of(self._action).shown, key), (f" again: {self._word} it   ", PLAIN))
        with Vertical():
            with VerticalScroll(can_focus=False):  # of many runs each is listed
                yield Static(Text("\n").join(rows), id="question")
            if self._target:
                yield Input(id="typed", placeholder=f"type {self._target}", compact=True)
            yield Static(Text("\n") + way + line(("esc", key), (" leave it alone", DIM)), id="ways")

    def on_mount(self) -> None:
        """Begin where one types."""
        if self._target:
            self.query_one("#typed", Input).focus()

    def on_input_submitted(self, event: Input.Submitted) -> None:
        """The name was typed; another one does nothing."""
        if event.value.strip() == self._target:
            self.dismiss(True)
        else:
            self.notify(f"that is not its {self._what}: {self._target}", severity="warning", markup=False)

    def on_key(self, event: Pressed) -> None:
        """The same key again does it; the others that ask do nothing here."""
        if self._target or not any(presses(action, event.key) for action in ACTIONS):
            return
        event.stop().prevent_default()  # or the screen below would take it, too
        if presses(self._action, event.key):
            self.dismiss(True)
        else:
            self.notify(f"this asks about `{key_of(self._action).shown}`; esc leaves it alone", markup=False)

    def action_leave(self) -> None:
        """Nothing happens."""
        self.dismiss(False)


def describe(action: str, view: RunView, host: str, step: int | None) -> str:
    """The words of the dialog."""
    from remote.actions import describe_kill, describe_stop

    return (describe_stop if action == "stop" else describe_kill)(view, host, step)
