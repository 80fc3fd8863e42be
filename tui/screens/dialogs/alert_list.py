"""Everything that was worth saying, with its time; what was acknowledged recedes."""

import time
from typing import ClassVar

from rich.text import Text
from textual.app import ComposeResult
from textual.binding import Binding
from textual.containers import VerticalScroll
from textual.events import Key as Pressed
from textual.screen import ModalScreen
from textual.widgets import Static

from tui.keys import key_of, presses
from tui.store.alerts import Alert
from tui.store.store import Store
from tui.store.words import age
from tui.theme import DIM, FAINT, PLAIN, STRONG, hue
from tui.widgets.lines import line


class AlertList(ModalScreen[None]):
    """The list as it was when it was opened, the newest first."""

    CSS: ClassVar[str] = """
    AlertList { align: center middle; background: $background 60%; }
    AlertList > VerticalScroll {
        width: 100; max-width: 98%; height: auto; max-height: 92%; padding: 1 2;
        background: $surface; border: round $border;
    }
    """
    BINDINGS: ClassVar = [Binding("escape,q,enter", "leave", show=False)]

    def __init__(self, store: Store, now: float, wall: float) -> None:
        """`now` and `wall`: monotonic and epoch seconds."""
        super().__init__()
        self._page = page(store, now, wall)

    def compose(self) -> ComposeResult:
        """The list."""
        with VerticalScroll():
            yield Static(self._page, id="page")

    def on_key(self, event: Pressed) -> None:
        """What opened it closes it."""
        if presses("alerts", event.key):
            event.stop().prevent_default()
            self.action_leave()

    def action_leave(self) -> None:
        """Close it."""
        self.dismiss(None)


def page(store: Store, now: float, wall: float) -> Text:
    """The whole list as text."""
    rows = [line(("Alerts", STRONG)), Text("")]
    rows += [_row(alert, alert in store.unseen, now, wall) for alert in reversed(store.alerts)]
    if not store.alerts:
        rows.append(line(("nothing so far", DIM)))
    return Text("\n").join(
        [*rows, Text(""), line((f"{key_of('acknowledge').shown} acknowledges, esc closes this", DIM))]
    )


def _row(alert: Alert, unseen: bool, now: float, wall: float) -> Text:
    passed = now - alert.at
    at = time.strftime("%d %b %H:%M:%S", time.localtime(wall - passed))
    colours = {"error": hue("red"), "warning": hue("amber"), "information": PLAIN}
    style = colours[alert.level] if unseen else FAINT
    where = f"  {alert.run_id} on {alert.host}" if alert.run_id else ""
    mark = {"error": "✖", "warning": "!", "information": "·"}[alert.level]
    message = (f"{mark} {alert.text}", style)
    return line((f"{at}  ", DIM), message, (f"  {age(passed)}", FAINT), (where, DIM))
