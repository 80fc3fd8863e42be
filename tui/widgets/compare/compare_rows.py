"""The rows of the Compare screen: who is compared, and in what their configurations differ."""

from collections.abc import Sequence
from math import isfinite

from rich.text import Text

from tui.store.compare.comparison import Contender
from tui.store.compare.config_values import DiffRow
from tui.store.facts import Fact, state_fact
from tui.store.store import Store
from tui.store.words import fine, shortened
from tui.theme import DIM, FAINT, PLAIN, STRONG, hue
from tui.widgets import lines
from tui.widgets.keyed_table import Cells

RIGHT = frozenset({"step", "value", "at", "apart"})
KEY_WIDE = 26


def contender_columns(width: int, at: str) -> list[tuple[str, str, int]]:
    """Name, title and width of each column; `at`: what the values at one step are titled."""
    tier = 0 if width >= 148 else 1 if width >= 98 else 2
    names: tuple[tuple[str, str, tuple[int, int, int]], ...] = (
        ("letter", "", (3, 3, 3)),
        ("name", "run", (34, 20, 18)),
        ("place", "host", (16, 10, 0)),
        ("state", "state", (13, 11, 11)),
        ("step", "step", (10, 8, 8)),
        ("metric", "metric", (16, 0, 0)),
        ("value", "newest", (10, 9, 8)),
        ("at", at, (14, 12, 10)),
        ("apart", "apart", (12, 9, 8)),
    )
    return [(name, title, widths[tier]) for name, title, widths in names if widths[tier]]


def contender_cells(
    one: Contender, store: Store, step: int | None, top: float | None, columns: Sequence[tuple[str, str, int]]
) -> Cells:
    """One of them. `step`: at which values are held against each other; `top`: the pinned one's there."""
    width = {name: cells for name, _, cells in columns}
    sign = "▲" if one.is_pinned else " "
    here = one.at(step) if step is not None else None
    apart = _apart(here, top)
    colour = hue(one.colour, bold=True)
    last = one.series.steps[-1] if len(one.series) else None
    return {
        "letter": lines.line((one.letter, colour), (sign, colour)),
        "name": lines.line((shortened(one.name, width["name"], 6), STRONG if one.is_pinned else PLAIN)),
        "place": lines.line((one.run.host if one.run is not None else "baseline", DIM)),
        "state": lines.fact(_state(one, store), detail=False),
        "step": lines.line((f"{last:,}" if last is not None else "–", PLAIN if last is not None else FAINT)),
        "metric": lines.line((one.metric or "does not tell it", DIM if one.metric else FAINT)),
        "value": _number(one.series.last),
        "at": _number(here),
        "apart": lines.line(("" if one.is_pinned or apart is None else f"{apart:+.4g}", PLAIN)),
    }


def _state(one: Contender, store: Store) -> Fact:
    if one.run is None:
        wrong = one.baseline is None or bool(one.baseline.trouble)
        return Fact("✖", "unread", "red") if wrong else Fact("▪", "kept", "grey")
    return state_fact(one.run, store.host_of(one.run))


def _apart(value: float | None, top: float | None) -> float | None:
    if value is None or top is None or not (isfinite(value) and isfinite(top)):
        return None
    return value - top


def _number(value: float | None) -> Text:
    if value is None:
        return lines.line(("–", FAINT))
    return lines.line((fine(value), PLAIN if isfinite(value) else hue("red", bold=True)))


def diff_columns(contenders: Sequence[Contender], width: int) -> list[tuple[str, str, int]]:
    """The key, then one column for each of them, as wide as there is room."""
    key = min(KEY_WIDE, max(width // 4, 14))
    each = max((width - key - 2) // max(len(contenders), 1) - 2, 6)
    return [("key", "configuration", key), *((one.letter, one.letter, each) for one in contenders)]


def diff_cells(row: DiffRow, contenders: Sequence[Contender], pinned: str) -> Cells:
    """One key: bright where they differ, in each one's colour where it differs from the pinned one."""
    cells = {"key": lines.line((row.key, STRONG if row.differs else FAINT))}
    texts = dict(zip((one.letter for one in contenders), row.texts, strict=True))
    for one in contenders:
        text = texts[one.letter]
        if text is None:
            cells[one.letter] = lines.line(("–", FAINT))
        elif not row.differs:
            cells[one.letter] = lines.line((text, FAINT))
        else:
            same = text == texts.get(pinned) and one.letter != pinned
            cells[one.letter] = lines.line((text, DIM if same else hue(one.colour)))
    return cells
