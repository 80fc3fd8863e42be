"""A short form for one more host: its address, and how it is to be called."""

from typing import ClassVar

from rich.text import Text
from textual.app import ComposeResult
from textual.binding import Binding
from textual.containers import Vertical
from textual.screen import ModalScreen
from textual.widgets import Input, Label, Static

from remote.hosts.host import Host
from remote.protocol.errors import CallError
from tui.theme import DIM, PLAIN, STRONG, hue
from tui.widgets.lines import line


class AddHost(ModalScreen[Host | None]):
    """What will be written is shown before it is; everything else of a host is edited in the file."""

    CSS: ClassVar[str] = """
    AddHost { align: center middle; background: $background 60%; }
    AddHost > Vertical {
        width: 76; max-width: 96%; height: auto; max-height: 96%; padding: 1 2;
        background: $surface; border: round $border;
    }
    AddHost Label { color: $text-muted; margin: 1 0 0 0; }
    AddHost Input { background: $panel; }
    AddHost #would { margin: 1 0 0 0; height: auto; }
    """
    BINDINGS: ClassVar = [Binding("escape", "leave", show=False)]

    def __init__(self, known: frozenset[str]) -> None:
        """`known`: names that are taken."""
        super().__init__()
        self._known = known
        self._host: Host | None = None

    def compose(self) -> ComposeResult:
        """Two fields, and what they come to."""
        key = hue("blue", bold=True)
        with Vertical():
            yield Static(Text("Add a host", style=STRONG))
            yield Label("address: an alias of your ssh configuration, or user@host:port")
            yield Input(id="address", placeholder="ada@studio.local", compact=True)
            yield Label("name (empty: the address's)")
            yield Input(id="name", compact=True)
            yield Static("", id="would", markup=False)
            yield Static(
                Text("\n")
                + line(("enter", key), (" adds it and tests it   ", PLAIN), ("esc", key), (" leaves", DIM))
            )

    def on_mount(self) -> None:
        """Begin where one types."""
        self.query_one("#address", Input).focus()
        self._judge()

    def on_input_changed(self, _event: Input.Changed) -> None:
        """Something else was typed."""
        self._judge()

    def _judge(self) -> None:
        address = self.query_one("#address", Input).value.strip()
        typed = self.query_one("#name", Input).value.strip()
        self._host, message = proposed(address, typed, self._known)
        style = PLAIN if self._host else DIM if not address else hue("amber")
        self.query_one("#would", Static).update(Text(message, style=style))

    def on_input_submitted(self, _event: Input.Submitted) -> None:
        """Add what is shown; nothing while it is wrong."""
        if self._host is not None:
            self.dismiss(self._host)

    def action_leave(self) -> None:
        """Nothing is added."""
        self.dismiss(None)


def proposed(address: str, name: str, known: frozenset[str]) -> tuple[Host | None, str]:
    """The host that these words mean and what will be written, or None and what is wrong with them."""
    from remote.hosts.address import split_address
    from remote.hosts.hosts_file import why_no_name

    if not address:
        return None, "An address is needed."
    try:
        split_address(address)
    except CallError as error:
        return None, f"{error.message}. {error.remedy}"
    name = name or address.rpartition("@")[2].split(":")[0]
    if reason := why_no_name(name):
        return None, reason
    if name.lower() in {one.lower() for one in known}:
        return None, f"{name} is there already: give it another name."
    return Host(name, address), f"hosts.yaml gets   {name}: {{address: {address}}}"
