"""What stands beside the charts of a run: lamps with their reasons, evaluation, sample, checkpoint."""

import textwrap
from math import nan

from rich.cells import cell_len
from rich.text import Text

from trainer.telemetry.events import Evaluation
from trainer.telemetry.judge import LampReading
from tui.store.lamps import PROBED
from tui.store.runs import RunRecord
from tui.store.words import age, number
from tui.theme import DIM, FAINT, PLAIN, hue
from tui.widgets.lines import Part, lamp, line
from tui.widgets.run_look import has_our_look

TITLE_WIDTH = 10
WORD_WIDTH = 16
SCORES = 3


def lamp_rows(verdicts: list[LampReading], width: int, height: int) -> list[Text]:
    """One lamp a line; beneath it why, as far as there is room, the gravest first to be explained."""
    whys = {verdict.metric: reason_rows(verdict, width) for verdict in verdicts}
    order = ("bad", "warn", "ok", "info", "unknown")
    room = height - len(verdicts)
    explained: set[str] = set()
    for verdict in sorted(verdicts, key=lambda verdict: order.index(verdict.severity)):
        need = len(whys[verdict.metric])
        if need <= room and verdict.severity != "unknown":
            explained.add(verdict.metric)
            room -= need
    rows = []
    for verdict in verdicts:
        rows.append(lamp_row(verdict))
        if verdict.metric in explained:
            rows += whys[verdict.metric]
    return rows


def lamp_row(verdict: LampReading) -> Text:
    """Glyph and word, title, and what was measured."""
    text, style = lamp(verdict)
    pad = " " * max(WORD_WIDTH - cell_len(text), 1)
    value, unit = _measured(verdict)
    return line(
        (text + pad, style), (f"{verdict.title:<{TITLE_WIDTH}}", PLAIN), (f"{value}", PLAIN), (unit, DIM)
    )


def _measured(verdict: LampReading) -> tuple[str, str]:
    """Value and unit, in as many digits as stay calm."""
    if verdict.value is None:
        return "", ""
    if verdict.unit == "s":
        return age(verdict.value), ""
    digits = {"%": 2, "GB free": 3}.get(verdict.unit, 4)
    return number(verdict.value, digits), f" {verdict.unit}" if verdict.unit else ""


def reason_rows(verdict: LampReading, width: int) -> list[Text]:
    """Why a lamp is as it is, and what to do where it is not well, wrapped to the width."""
    harmless = verdict.severity in ("ok", "info") or not verdict.advice
    why = verdict.why if harmless else f"{verdict.why}. {verdict.advice[0].upper()}{verdict.advice[1:]}"
    return [line((f"  {text}", DIM)) for text in textwrap.wrap(why, max(width - 2, 10))]


def lamp_strip(verdicts: list[LampReading], width: int) -> list[Text]:
    """The lamps on one line, for a narrow screen: glyph and word; what is dull only when it is not well."""
    calm = {"idle_s", "memory_used", "disk_free_gb", "reg", "coherence", *PROBED}
    known = [
        verdict
        for verdict in verdicts
        if verdict.severity in ("warn", "bad")
        or (verdict.severity != "unknown" and verdict.metric not in calm)
    ]
    known = known or [one for one in verdicts if one.metric == "idle_s" and one.severity != "unknown"]
    for titled in (True, False):
        parts: list[Part] = []
        for verdict in known:
            text, style = lamp(verdict)
            parts += [(f"{verdict.title} ", FAINT)] if titled else []
            parts.append((f"{text}   ", style))
        if sum(cell_len(text) for text, _ in parts) <= width + 3:
            break
    return [line(*parts)] if parts else [line(("no lamps yet", FAINT))]


def evaluation_rows(run: RunRecord) -> list[Text]:
    """The last evaluation: cross-entropy beside the floors."""
    found = run.evaluation
    if found is None:
        return [line(("none yet", FAINT))]
    best = "  best so far" if found.best else ""
    rows = [line((f"{run.axis} {found.step:,}" if found.step is not None else "", DIM), (best, hue("green")))]
    ce, ppl = found.values.get("val_ce"), found.values.get("val_ppl")
    if ce is None and not has_our_look(run):
        return rows + _scores(found)
    rows.append(line(("val ce ", DIM), (number(ce), PLAIN), ("   perplexity ", DIM), (number(ppl), PLAIN)))
    if run.floors is not None and ce is not None:
        gap = run.floors.bigram - ce
        rows.append(
            line(
                (
                    f"{abs(gap):.3f} {'below' if gap > 0 else 'above'} the bigram floor",
                    hue("green" if gap > 0 else "blue"),
                )
            )
        )
    return rows


def _scores(found: Evaluation) -> list[Text]:
    """The scores of an evaluation as they are called."""
    scores = [
        (name, value) for name, value in found.values.items() if value is not None or name in found.nonfinite
    ]
    return [
        line((f"{name[:22]:<22}", DIM), (number(nan if value is None else value), PLAIN))
        for name, value in scores[:SCORES]
    ]


def sample_rows(run: RunRecord, width: int, height: int) -> list[Text]:
    """The newest sample, wrapped to the width."""
    text = run.sample_text.strip()
    if not text:
        return [line(("none yet", FAINT))]
    rows = [row for part in text.splitlines() for row in (textwrap.wrap(part, max(width, 10)) or [""])]
    return [line((row, PLAIN)) for row in rows[: max(height, 1)]]


def checkpoint_rows(run: RunRecord, wall: float) -> list[Text]:
    """The newest checkpoint with its age, and what a kill would lose."""
    known, reported = run.view.last_checkpoint, run.checkpoint
    if known is None and reported is None:
        return [line(("none yet", FAINT))]
    if reported is not None and (known is None or (reported.step or 0) >= known.step):
        step, name, at, kind = reported.step, reported.path.rsplit("/", 1)[-1], reported.t, reported.kind
    else:
        assert known is not None
        step, name, at, kind = known.step, known.name, known.at, ""
    old = age(max(wall - at, 0.0)) if at else "age n/a"
    rows = [line((name, PLAIN), (f"  {kind}" if kind else "", DIM), (f"  {old}", DIM))]
    if run.unsaved_steps and not run.view.is_terminal and step is not None:
        rows.append(line((f"{run.unsaved_steps:,} steps since then", DIM)))
    return rows
