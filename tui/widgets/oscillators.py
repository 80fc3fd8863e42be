"""The last look into a model: its layers as a table, and the lamps of what pulls at their weights."""

from collections.abc import Callable, Mapping, Sequence
from math import isfinite

from rich.text import Text

from trainer.telemetry.bands import Bands
from trainer.telemetry.events import Number, Probe
from trainer.telemetry.judge import LampReading, judge
from tui.theme import DIM, FAINT, PLAIN, hue
from tui.widgets.lines import Part, line
from tui.widgets.run_side import lamp_row, reason_rows

MOST = 8
"""Layers shown; of more, the first ones and how many are left."""


def rows(probe: Probe | None, lamps: list[LampReading], bands: Bands, width: int) -> list[Text]:
    """Return the panel's lines; none without a look."""
    if probe is None:
        return []
    made = [line((f"at step {probe.step:,}" if probe.step is not None else "", DIM)), *_table(probe, bands)]
    for verdict in lamps:
        made.append(lamp_row(verdict))
        if verdict.severity in ("warn", "bad"):
            made += reason_rows(verdict, width)
    return made


def _table(probe: Probe, bands: Bands) -> list[Text]:
    layers = probe.layers
    count = max((len(column) for column in layers.values()), default=0)
    if not count:
        return []
    known = [column for column in _COLUMNS if column[0] in layers]
    shown = range(count if count <= MOST else MOST - 1)
    made = [line(("  #", FAINT), *((f"{title:>{wide}}", FAINT) for _, title, wide, _ in known))]
    for layer in shown:
        cells = [_cell(layers, name, layer, wide, say, bands) for name, _, wide, say in known]
        made.append(line((f"{layer + 1:>3}", DIM), *cells))
    if left := count - len(shown):
        made.append(line((f"    {left} more layers: photinus show --json", FAINT)))
    return made


def _cell(
    layers: Mapping[str, Sequence[Number]],
    name: str,
    layer: int,
    wide: int,
    say: Callable[[float], str],
    bands: Bands,
) -> Part:
    value = _at(layers, name, layer)
    if value is None:
        return f"{'n/a':>{wide}}", FAINT
    if name != "u":
        return f"{say(value):>{wide}}", PLAIN
    ends = {"u_low": _at(layers, "u_low", layer), "u_high": _at(layers, "u_high", layer)}
    verdict = judge(bands, "u_val", value, ends)
    return f"{f'{verdict.glyph} {say(value)}':>{wide}}", hue(verdict.colour)


def _at(layers: Mapping[str, Sequence[Number]], name: str, layer: int) -> float | None:
    """The number of a layer; None where it is missing or not finite."""
    column = layers.get(name, ())
    value = column[layer] if layer < len(column) else None
    return value if value is not None and isfinite(value) else None


def _hundredths(value: float) -> str:
    return f"{value:.2f}" if abs(value) < 100 else f"{value:.0f}"


def _percent(value: float) -> str:
    return f"{100 * value:.0f} %"


_COLUMNS: tuple[tuple[str, str, int, Callable[[float], str]], ...] = (
    ("u", "u", 8, _hundredths),
    ("u_low", "low", 6, _percent),
    ("u_high", "high", 6, _percent),
    ("coherence", "coh", 6, _hundredths),
    ("R", "R", 6, _hundredths),
    ("z", "|z|", 6, _hundredths),
    ("det", "|Δ|", 6, _hundredths),
)
