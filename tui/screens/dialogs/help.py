"""The help: every key, made from the table that dispatches them."""

from typing import ClassVar

from rich.text import Text
from textual.app import ComposeResult
from textual.binding import Binding
from textual.containers import VerticalScroll
from textual.events import Key as Pressed
from textual.screen import ModalScreen
from textual.widgets import Static

from tui.keys import EVERYWHERE, PLACES, Key, Where, keys_in_force, presses
from tui.theme import DIM, PLAIN, STRONG, hue

WORDS = (
    ("link", "can this host be reached"),
    ("run", "what the host's own files say of it; unknown while the host is away, never dead"),
    ("data", "when something was heard last"),
)


class Help(ModalScreen[None]):
    """One page; any of its keys closes it."""

    CSS: ClassVar[str] = """
    Help { align: center middle; background: $background 60%; }
    Help > VerticalScroll {
        width: 78; max-width: 96%; height: auto; max-height: 92%; padding: 1 2;
        background: $surface; border: round $border;
    }
    """
    BINDINGS: ClassVar = [Binding("escape,q,enter", "leave", show=False)]

    def __init__(self, where: Where | None = None) -> None:
        """`where`: the screen whose keys come first."""
        super().__init__()
        self._where = where

    def compose(self) -> ComposeResult:
        """The keys, and the three facts that are never mixed."""
        with VerticalScroll():
            yield Static(page(self._where), id="page")

    def on_key(self, event: Pressed) -> None:
        """What opened it closes it."""
        if presses("help", event.key):
            event.stop().prevent_default()
            self.action_leave()

    def action_leave(self) -> None:
        """Close it."""
        self.dismiss(None)


def page(where: Where | None = None) -> Text:
    """The whole help as text; the keys of one screen first."""
    keys = keys_in_force()
    here = [key for key in keys if where is not None and where in key.where]
    rest = [key for key in keys if key not in here]
    rows = [Text(f"Keys of {PLACES[where][1]}", style=STRONG), Text("")] if where is not None else []
    rows += [_row(key) for key in here]
    rows += [Text("")] if here else []
    rows += [Text("Keys of other screens" if here else "Keys", style=STRONG), Text("")]
    rows += [_row(key) for key in rest]
    rows += [Text(""), Text("Three facts, never mixed", style=STRONG), Text("")]
    rows += [Text.assemble((f"{word:>10}  ", hue("blue")), (meaning, PLAIN)) for word, meaning in WORDS]
    rows += [Text(""), Text("esc closes this page", style=DIM)]
    return Text("\n").join(rows)


def _row(key: Key) -> Text:
    place = "" if key.where == EVERYWHERE else f"  ({key.places})"
    return Text.assemble((f"{key.shown:>10}  ", hue("blue", bold=True)), (key.text, PLAIN), (place, DIM))
