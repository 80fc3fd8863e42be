"""Every key of the cockpit, once: for dispatch, footer, help, palette and the README.

`python -m tui.keys` prints the table as Markdown.
"""

import sys
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

from textual.binding import Binding

Where = Literal["fleet", "run"]
BOTH: tuple[Where, ...] = ("fleet", "run")
PLACES: dict[Where, str] = {"fleet": "Fleet", "run": "Run"}


@dataclass(frozen=True, slots=True)
class Key:
    """One key.

    Attributes:
        keys: Textual's names, comma-separated; `shown` is what a person reads.
        action: the method `action_<this>` of the screen.
        label: one word for the footer; `text` the sentence for help, palette and README.
        where: the screens on which it acts.
        rank: order of survival in a narrow footer, 1 longest; 0 is never shown there.
        acts: it asks something of a host, so it needs a link.
        first: it goes before what the focused widget would do with it.
    """

    keys: str
    shown: str
    action: str
    label: str
    text: str
    where: tuple[Where, ...] = BOTH
    rank: int = 0
    acts: bool = False
    first: bool = False


TABLE: tuple[Key, ...] = (
    Key("1", "1", "fleet", "fleet", "all hosts and runs", rank=9),
    Key("2", "2", "run", "run", "the chosen run", rank=9),
    Key("enter", "enter", "open", "open", "open the chosen run", ("fleet",), rank=2, first=True),
    Key(
        "enter",
        "enter",
        "enlarge",
        "enlarge",
        "give the focused panel the whole screen",
        ("run",),
        rank=8,
    ),
    Key("escape", "esc", "back", "back", "back: from an enlarged panel, a search, a run", ("run",), rank=2),
    Key("tab", "tab", "next_panel", "focus", "the next panel", rank=10),
    Key("shift+tab", "shift+tab", "previous_panel", "focus", "the panel before"),
    Key("s", "s", "start", "start", "start a run: a short form, and what it would do", rank=3, acts=True),
    Key("r", "r", "resume", "resume", "resume from the newest whole checkpoint", rank=4, acts=True),
    Key("x", "x", "stop", "stop", "stop with a checkpoint; `x` again does it", rank=4, acts=True),
    Key("K", "K", "kill", "kill", "kill exactly the process shown; `K` again does it", rank=5, acts=True),
    Key("slash", "/", "search", "search", "search the log: a text or a regular expression", ("run",), rank=6),
    Key("n", "n", "next_match", "next", "the next match", ("run",), rank=11),
    Key("N", "N", "previous_match", "before", "the match before", ("run",)),
    Key("f", "f", "follow", "follow", "follow the log's end, or stay here", ("run",), rank=7),
    Key("y", "y", "log_y", "log", "logarithmic axis: the focused chart, or all", ("run",), rank=7),
    Key("plus,equals_sign", "+", "smooth(1)", "smoother", "a longer moving average", ("run",), rank=12),
    Key("minus", "-", "smooth(-1)", "rougher", "a shorter moving average", ("run",)),
    Key("z", "z", "zoom(1)", "zoom", "the newest half of the steps", ("run",), rank=12),
    Key("Z", "Z", "zoom(-1)", "unzoom", "twice as many steps again", ("run",)),
    Key("0", "0", "reset", "reset", "the chart as it was at first", ("run",), rank=13),
    Key("R", "R", "reconnect", "reconnect", "try the link again now", rank=10),
    Key("ctrl+p", "ctrl+p", "palette", "palette", "every command by name", rank=14, first=True),
    Key("question_mark", "?", "help", "help", "this list", rank=1),
    Key("q", "q", "quit", "quit", "leave; runs go on, and the last line says so", rank=1),
)


def keys_of(where: Where) -> list[Key]:
    """The keys of one screen, in the table's order."""
    return [key for key in TABLE if where in key.where]


def bindings(where: Where) -> list[Binding | tuple[str, str] | tuple[str, str, str]]:
    """What Textual dispatches on that screen."""
    return [
        Binding(key.keys, key.action, key.label, show=False, key_display=key.shown, priority=key.first)
        for key in keys_of(where)
    ]


def markdown() -> Iterator[str]:
    """The README's table, line by line."""
    yield "| key | where | what it does |"
    yield "|---|---|---|"
    for key in TABLE:
        places = "everywhere" if key.where == BOTH else PLACES[key.where[0]]
        shown = "`|`" if key.shown == "|" else f"`{key.shown}`"
        yield f"| {shown} | {places} | {key.text} |"


if __name__ == "__main__":
    sys.stdout.write("\n".join(markdown()) + "\n")
