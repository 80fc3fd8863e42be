"""The Fleet in a sentence, and the titles of its columns with the order they show."""

from rich.text import Text

from tui.keys import shown
from tui.store.fleet.fleet_look import FleetLook
from tui.store.fleet.run_order import is_unseen
from tui.store.fleet.tour import Hint
from tui.store.store import Store
from tui.theme import DIM, FAINT, PLAIN, hue
from tui.widgets.lines import Part, line


def summary(store: Store, look: FleetLook, shown: int) -> Text:
    """How many runs are how, in words; then what the operator has chosen of them. `shown`: rows of runs."""
    runs = store.runs
    live = sum(run.view.is_live for run in runs.values())
    waiting = sum(run.view.state == "queued" for run in runs.values())
    failed = sum(is_unseen(store, key) for key in runs)
    parts: list[Part] = [(f"{_count(live - waiting, 'run')} going on", PLAIN)] if runs else []
    if waiting:
        parts.append((f", {waiting} in line", PLAIN))
    if failed:
        parts.append((f", {failed} failed and not seen yet (a: seen)", hue("red")))
    over = len(runs) - live - failed
    parts += [(f", {over} over", DIM)] if over else []
    return line(*parts, *_chosen(look, len(runs), shown))


def _chosen(look: FleetLook, count: int, shown: int) -> list[Part]:
    parts: list[Part] = []
    if look.query.text:
        parts += [("   filter ", FAINT), (look.query.text, hue("blue", bold=True))]
        parts.append((f" shows {shown} of {count}, esc clears it", DIM))
    if look.query.fault:
        parts.append((f"   {look.query.fault}", hue("amber")))
    if look.column:
        parts.append((f"   sorted by {look.column}{', turned' if look.turned else ''}", DIM))
    if look.marks:
        parts.append((f"   {len(look.marks)} marked", hue("blue", bold=True)))
    return parts


def _count(count: int, word: str) -> str:
    return f"{count or 'no'} {word}{'' if count == 1 else 's'}"


def titles(columns: list[tuple[str, str, int]], look: FleetLook) -> list[tuple[str, str, int]]:
    """The columns, the one that runs are sorted by with an arrow."""
    arrow = "↑" if look.turned else "↓"
    return [
        (name, f"{title[: width - 1]}{arrow}" if name == look.column else title, width)
        for name, title, width in columns
    ]


BY = {"run": "open", "compare": "mark"}
"""The action of a hint whose step is done by another one's key."""


def hint_line(hint: Hint) -> Text:
    """The next of the first steps, and how they end."""
    return line(
        ("next  ", DIM),
        (shown(BY.get(hint.step, hint.step)), hue("blue", bold=True)),
        (f" {hint.text}", PLAIN),
        ("   esc: no hints", FAINT),
    )
