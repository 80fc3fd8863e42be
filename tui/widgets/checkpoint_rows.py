"""The rows of the Checkpoints screen, and all that is known of the chosen one."""

from collections.abc import Sequence
from math import isfinite

from rich.text import Text

from trainer.telemetry.bands import Colour
from tui.store.kept.shelf import CheckpointShelf, ShelfRow, Transfer, chain_of
from tui.store.words import duration, fine, past, shortened, size
from tui.theme import DIM, FAINT, PLAIN, STRONG, hue
from tui.widgets import lines
from tui.widgets.keyed_table import Cells

RIGHT = frozenset({"step", "score", "other", "size"})
_COPIES = {
    "none": ("–", "not here", FAINT),
    "part": ("◐", "begun", hue("amber")),
    "whole": ("✔", "here", hue("green")),
    "other": ("‼", "another one", hue("red")),
}


def checkpoint_columns(width: int, rows: Sequence[ShelfRow]) -> list[tuple[str, str, int]]:
    """Name, title and width of each column that a terminal of so many cells has room for."""
    primary = next((row.primary for row in rows if row.primary), "score")
    tier = 0 if width >= 126 else 1 if width >= 96 else 2
    names: tuple[tuple[str, str, tuple[int, int, int]], ...] = (
        ("step", "step", (10, 8, 8)),
        ("marks", "", (15, 4, 4)),
        ("score", primary[:9], (9, 9, 9)),
        ("other", _other(rows)[:9], (9, 0, 0)),
        ("size", "size", (9, 8, 8)),
        ("kind", "why saved", (12, 11, 0)),
        ("at", "written", (13, 12, 0)),
        ("host", "on its host", (15, 13, 13)),
        ("here", "this machine", (15, 14, 14)),
        ("parent", "came from", (26 if width >= 156 else 0, 0, 0)),
    )
    return [(name, title, widths[tier]) for name, title, widths in names if widths[tier]]


def checkpoint_cells(row: ShelfRow, host_wall: float, columns: Sequence[tuple[str, str, int]]) -> Cells:
    """One checkpoint. `host_wall`: its host's clock, epoch seconds."""
    width = {name: cells for name, _, cells in columns}
    glyph, word, style = _COPIES[row.here]
    return {
        "step": lines.line((f"{row.step:,}", STRONG)),
        "marks": _marks(row, width["marks"]),
        "score": _number(row.metrics.get(row.primary)),
        "other": _number(row.metrics.get(_other((row,)))),
        "size": lines.line((size(row.bytes) if row.bytes else "", PLAIN)),
        "kind": lines.line((row.kind, DIM)),
        "at": lines.line((past(host_wall - row.at) if row.at else "", DIM)),
        "host": _on_host(row),
        "here": lines.line((f"{glyph} {word}", style)),
        "parent": lines.line((shortened(row.parent, width.get("parent", 12), 14), DIM)),
    }


def _other(rows: Sequence[ShelfRow]) -> str:
    """A second metric: the perplexity where there is one, else the first that does not rank them."""
    names = [name for row in rows for name in row.metrics if name != row.primary]
    return next((name for name in names if name.endswith("ppl")), names[0] if names else "")


def _marks(row: ShelfRow, width: int) -> Text:
    """Best, latest, pinned; without their words where there is no room for all of them."""
    held = ((row.is_best, "★", "best"), (row.is_latest, "●", "latest"), (bool(row.pin), "◆", "pinned"))
    hues: dict[str, Colour] = {"★": "amber", "●": "blue", "◆": "violet"}
    there = [(glyph, word) for holds, glyph, word in held if holds]
    whole = lines.line(*((f"{glyph} {word} ", hue(hues[glyph])) for glyph, word in there))
    if whole.cell_len <= width + 1:
        return whole
    return lines.line(*((glyph, hue(hues[glyph])) for glyph, _ in there))


def _on_host(row: ShelfRow) -> Text:
    if not row.on_host:
        return lines.line(("– not there", FAINT))
    return lines.line(("✖ unreadable", hue("red")) if row.why else ("✔ there", hue("green")))


def _number(value: float | None) -> Text:
    if value is None:
        return lines.line(("", FAINT))
    return lines.line((fine(value), PLAIN if isfinite(value) else hue("red")))


def checkpoint_detail(row: ShelfRow, shelf: CheckpointShelf, height: int) -> list[Text]:
    """The chosen one: where it lies, what it scored, which came before it."""
    rows = [
        lines.line(
            (row.name, STRONG),
            (f"  {row.kind}  {size(row.bytes)}" if row.bytes else "", DIM),
            (f"  ◆ {row.pin}: no policy lets it go" if row.pin else "", hue("violet")),
        )
    ]
    if row.why:
        rows.append(lines.line((f"its host cannot read it: {row.why}", hue("red"))))
    if row.metrics:
        told = "   ".join(f"{name} {fine(value)}" for name, value in row.metrics.items())
        rows.append(lines.line(("scores     ", DIM), (told, PLAIN)))
    chain = chain_of(shelf.rows, row.name)
    came = " ← ".join((row.name, *chain)) if chain else "nothing before it is named"
    rows.append(lines.line(("came from  ", DIM), (came, PLAIN)))
    if row.on_host and shelf.folder:
        rows.append(lines.line(("there      ", DIM), (f"{shelf.folder}/{row.name}", PLAIN)))
    if row.here != "none" and shelf.here:
        rows.append(lines.line(("here       ", DIM), (f"{shelf.here}/{row.name}", PLAIN)))
    return rows[: max(height, 1)]


def transfer_line(transfer: Transfer, now: float) -> Text:
    """A pull or a proof, as it goes on or as it ended."""
    what = {"pull": "pulling", "verify": "proving the copy of", "prove": "its host proves"}[transfer.kind]
    if transfer.ended is not None:
        return lines.line(
            ("✔ " if transfer.ok else "✖ ", hue("green" if transfer.ok else "red")), (transfer.message, PLAIN)
        )
    parts = [("▶ ", hue("blue")), (f"{what} {transfer.name}", STRONG)]
    if transfer.total:
        share = transfer.done / transfer.total
        bar = "━" * round(20 * share)
        parts += [("  ", PLAIN), (bar, hue("blue")), ("─" * (20 - len(bar)), FAINT)]
        left = f", {duration(transfer.eta_s)} left" if transfer.eta_s is not None else ""
        told = f"  {100 * share:.0f} %  {size(transfer.done)} of {size(transfer.total)}"
        parts.append((f"{told}  {size(transfer.rate)}/s{left}", DIM))
    else:
        parts.append((f"  {duration(now - transfer.begun)}", DIM))
    return lines.line(*parts)
