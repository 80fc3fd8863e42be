"""The lines of a retention's plan: what goes, then what stays and by which rule."""

from collections.abc import Sequence

from rich.text import Text

from remote.protocol.trained import RetentionAnswer
from tui.store.kept.shelf import ShelfRow
from tui.store.words import fine, size
from tui.theme import DIM, PLAIN, hue
from tui.widgets.lines import Part, line

WHY = {
    "latest": "the newest",
    "best": "the best",
    "recent": "one of the newest",
    "among the best": "one of the best",
    "pinned": "pinned",
    "in use": "a run in trouble would step back to it",
    "unreadable": "it cannot be read: nothing is destroyed that could be evidence",
}


def retention_rows(plan: RetentionAnswer, rows: Sequence[ShelfRow]) -> list[Text]:
    """Every checkpoint of the plan, the newest first in both parts; `rows`: what is known of them."""
    known = {row.name: row for row in rows}
    freed = sum(known[name].bytes for name in plan.remove if name in known)
    made: list[Text] = []
    if plan.remove:
        made.append(line(("goes", hue("amber", bold=True)), (f"   {size(freed)}" if freed else "", DIM)))
        made += [_row(name, known.get(name)) for name in _newest(plan.remove)]
        made.append(Text(""))
    made.append(line(("stays", hue("green", bold=True))))
    made += [
        _row(name, known.get(name), WHY.get(plan.keep[name], plan.keep[name])) for name in _newest(plan.keep)
    ]
    return made


def _newest(names: "Sequence[str] | dict[str, str]") -> list[str]:
    return sorted(names, key=lambda name: (len(name), name), reverse=True)


def _row(name: str, row: ShelfRow | None, why: str = "") -> Text:
    told: list[Part] = [(f"  {name:<15}", PLAIN)]
    if row is not None:
        score = row.metrics.get(row.primary)
        told.append((f"{size(row.bytes) if row.bytes else '':>9}", DIM))
        told.append((f"  {row.primary} {fine(score)}" if score is not None else "", DIM))
    told.append((f"   {why}" if why else "", PLAIN))
    return line(*told)
