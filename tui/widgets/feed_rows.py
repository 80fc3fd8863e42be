"""The rows of a feed's ledger: what trains, what waits in its order, what came of the rest."""

from collections.abc import Iterator

from rich.text import Text

from remote.protocol.trained import FeedReport, LedgerLine, LedgerShard
from trainer.telemetry.bands import Colour
from tui.store.words import count, fine
from tui.theme import DIM, FAINT, PLAIN, STRONG, hue
from tui.widgets.keyed_table import Cells
from tui.widgets.lines import Part, line

RIGHT = frozenset({"examples"})
STATES: dict[str, tuple[str, Colour]] = {
    "training": ("▶", "green"),
    "waiting": ("◷", "blue"),
    "done": ("✔", "green"),
    "skipped": ("–", "grey"),
    "failed": ("✖", "red"),
}


def feed_columns(width: int) -> list[tuple[str, str, int]]:
    """Name, title and width of each column that a terminal of so many cells has room for."""
    tier = 0 if width >= 142 else 1 if width >= 96 else 2
    names: tuple[tuple[str, str, tuple[int, int, int]], ...] = (
        ("state", "shard", (12, 12, 12)),
        ("name", "file", (34, 24, 24)),
        ("examples", "examples", (8, 8, 8)),
        ("steps", "steps", (17, 15, 0)),
        ("loss", "loss", (17, 0, 0)),
        ("ce", "held-out CE", (17, 17, 0)),
        ("why", "", (26, 10, 22)),
    )
    return [(name, title, widths[tier]) for name, title, widths in names if widths[tier]]


def feed_rows(report: FeedReport) -> dict[str, Cells]:
    """Every row by its name: in training, waiting, the rest, the newest first, then the refused."""
    return dict(_rows(report))


def _rows(report: FeedReport) -> Iterator[tuple[str, Cells]]:
    place = {key: at for at, key in enumerate(report.waiting, 1)}

    def order(one: LedgerShard) -> tuple[bool, bool, int]:
        return one.state != "training", one.state != "waiting", place.get(one.shard, 0)

    newest = list(reversed(report.shards))
    for one in sorted(newest, key=order):
        yield f"shard {one.shard}", _shard(one, place.get(one.shard))
    for at, file in enumerate(reversed(report.refused)):
        yield (
            f"refused {at}",
            {
                "state": line(("‼ refused", hue("amber"))),
                "name": line((file.name, PLAIN)),
                "why": line((file.reason, hue("amber"))),
            },
        )


def _shard(one: LedgerShard, place: int | None) -> Cells:
    glyph, colour = STATES.get(one.state, ("?", "grey"))
    word = f"next {place}" if place else one.state
    begun, ended = one.begun or LedgerLine(), one.ended or LedgerLine()
    end = ended.end or begun.end
    why: list[Part] = [("held-out CE rose", hue("amber"))] if ended.regression else []
    why = why or [(ended.reason, hue("red") if one.state == "failed" else DIM)]
    return {
        "state": line((f"{glyph} {word}", hue(colour))),
        "name": line((one.admitted.name, STRONG if one.state == "training" else PLAIN)),
        "examples": line((count(one.admitted.examples), PLAIN)),
        "steps": line((f"{begun.start:,} – {end:,}" if one.begun else "", PLAIN)),
        "loss": _change(ended.loss_first, ended.loss_last),
        "ce": _change(ended.val_before, ended.val_after),
        "why": line(*why),
    }


def _change(before: float | None, after: float | None) -> Text:
    if before is None and after is None:
        return line(("", FAINT))
    return line((f"{fine(before)} → {fine(after)}", PLAIN))


def feed_head(name: str, report: FeedReport) -> Text:
    """How it stands, in words."""
    waiting = len(report.waiting)
    said = [f"{waiting} wait{'s' if waiting == 1 else ''}", f"{report.inbox} in the inbox"]
    said += [f"{len(report.refused)} refused"] if report.refused else []
    said += [f"{report.left_out} older not listed"] if report.left_out else []
    paused: list[Part] = [(f"   ‖ {report.paused}", hue("amber"))] if report.paused else []
    troubles: list[Part] = [(f"   {report.troubles[0]}", hue("amber"))] if report.troubles else []
    return line(("Feed of ", DIM), (name, STRONG), (f"   {', '.join(said)}", DIM), *paused, *troubles)
