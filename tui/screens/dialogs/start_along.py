"""What a start form lets go along: a text of this machine, or code with a command to run in it."""

import shlex
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from rich.text import Text
from textual.widget import Widget
from textual.widgets import Input, Label

from remote.actions import StartRequest
from tui.theme import DIM, PLAIN, STRONG
from tui.widgets.lines import line

ABOUT = (
    "What git tracks and does not ignore there goes to the host, once; the command runs in its own copy. "
    "A file that looks like a secret is refused."
)
FIELDS = ("data", "ship", "command")


@dataclass(frozen=True, slots=True)
class Along:
    """What was typed into these fields."""

    data: str
    ship: str
    command: str

    @property
    def is_command(self) -> bool:
        """Whether it is no run of our trainer."""
        return bool(self.ship or self.command)

    def why_not(self) -> str:
        """Why that cannot be started; empty where it can."""
        if not self.command:
            return "a folder of code needs a command to run in it"
        if not self.ship:
            return "a command runs in the code that goes along: name its folder"
        if not Path(self.ship).expanduser().is_dir():
            return f"there is no folder {self.ship} on this machine"
        if self.data:
            return "a text is for our trainer: a command reads what its words name"
        try:
            return "" if shlex.split(self.command) else "the command is empty"
        except ValueError as error:
            return f"the command: {error}"

    def request(self, name: str, device: str) -> StartRequest:
        """The start of a command that can be."""
        argv = tuple(shlex.split(self.command))
        program = next((word for word in argv[1:] if word.endswith((".py", ".sh"))), argv[0])
        return StartRequest(
            name=name or Path(program).name, kind="command", argv=argv, ship=self.ship, device=device
        )

    def plan(self) -> Text:
        """What will run, in words."""
        rows = [
            Text("What will run", style=STRONG),
            Text(""),
            line(("command  ", DIM), (self.command, PLAIN)),
            line(("code     ", DIM), (self.ship, PLAIN)),
            Text(""),
            Text(ABOUT, style=DIM),
        ]
        return Text("\n").join(rows)


def along_fields() -> Iterator[Widget]:
    """The fields."""
    yield Label("text: here with local:PATH, or the host's")
    yield Input(id="data", placeholder="local:~/books", compact=True)
    yield Label("or a folder of code (git) to go along")
    yield Input(id="ship", placeholder="~/project", compact=True)
    yield Label("and the command to run in that")
    yield Input(id="command", placeholder="python3 train.py", compact=True)
