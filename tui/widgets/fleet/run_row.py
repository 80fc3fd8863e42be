"""The row of one run in the Fleet table: its name first, its numbers under one another, its end in words."""

from rich.cells import cell_len, set_cell_size
from rich.text import Text

from trainer.telemetry.bands import Bands
from trainer.telemetry.judge import LampReading, judge
from tui.store.facts import Fact, is_stale, run_age_fact, run_received_at, state_fact
from tui.store.hosts import HostRecord
from tui.store.lamps import context_of
from tui.store.runs import RunRecord
from tui.store.words import duration, fixed, past, share, shortened, size
from tui.theme import DIM, FAINT, PLAIN, hue
from tui.widgets import lines
from tui.widgets.fleet.fleet_fit import Fit
from tui.widgets.fleet.run_progress import loss_curve, progress_bar
from tui.widgets.keyed_table import OVER

WITHOUT_REASON = {
    "died": "its supervisor and its trainer are gone",
    "died_reboot": "its host was restarted",
    "unkillable": "it does not die: its device stays locked",
}


def run_cells(
    run: RunRecord, host: HostRecord, bands: Bands | None, now: float, wall: float, fit: Fit
) -> dict[str, Text]:
    """The row of a run; all of it recedes while its host cannot be asked: it is a stale view.

    `now`, `wall`: monotonic and epoch seconds.
    """
    ended = past(wall + (host.wall_ahead or 0.0) - run.view.since)
    cells = {
        "run": lines.line(("  ", PLAIN), *named(run, fit.width("run") - 2)),
        "link": loss_curve(run, fit.width("link")),
        "state": lines.fact(state_fact(run, host), detail=False),
        "step": lines.line((_step(run, fit.width("step")), PLAIN)),
        "eta": progress_bar(run, fit.width("eta")),
        "data": _age(run, host, now, ended, fit.width("data")),
    }
    if run.view.has_failed and fit.width("R"):
        cells |= _why(run, ended, fit)
    else:
        cells |= _numbers(run, bands, fit)
    if is_stale(host):
        return {name: Text(cell.plain, style=FAINT, end="", no_wrap=True) for name, cell in cells.items()}
    return cells


def named(run: RunRecord, width: int) -> list[lines.Part]:
    """The run's name, and dim after it what tells it from its namesakes: the end of its id, or all of it."""
    name, run_id = run.name, run.run_id
    if run_id.startswith(f"{name}-"):
        shown = shortened(run_id, width)
        own = len(name) if shown == run_id else max(len(shown) - len(run_id) + len(name), 0)
        return [(shown[:own], PLAIN), (shown[own:], DIM)]
    room = max(width - len(run_id[-7:]) - 1, 0)
    head = name if cell_len(name) <= room else set_cell_size(name, max(room - 1, 0)).rstrip() + "…"
    tail = shortened(run_id, max(width - cell_len(head) - 1, 0))
    return [(f"{head} ", PLAIN), (tail, DIM)]


def _why(run: RunRecord, ended: str, fit: Fit) -> dict[str, Text]:
    """Why a run failed, where a live one has its numbers; there also when, if no column tells it."""
    first = "u_val" if fit.width("data") >= 12 else "loss"
    why = run.view.reason or WITHOUT_REASON.get(run.view.state, "no reason is known")
    text = why if fit.width("data") else f"{ended}: {why}"
    cells = {first + OVER: lines.line((text, hue("red")))}
    return cells if first == "loss" else {"loss": _loss(run, fit)} | cells


def _numbers(run: RunRecord, bands: Bands | None, fit: Fit) -> dict[str, Text]:
    return {
        "loss": _loss(run, fit),
        "u_val": _lamp(run, bands, "u_val", fit.width("u_val")),
        "R": _lamp(run, bands, "R", fit.width("R")),
        "grad": _lamp(run, bands, "grad_norm", fit.width("grad")),
        "load": lines.line((run.view.device, DIM)),
        "memory": lines.line((_memory(run), DIM)),
        "power": lines.line(("", DIM)),
    }


def _loss(run: RunRecord, fit: Fit) -> Text:
    return lines.line((fixed(run.loss, 3, fit.width("loss")), PLAIN if run.loss is not None else FAINT))


def _age(run: RunRecord, host: HostRecord, now: float, ended: str, width: int) -> Text:
    if is_stale(host):
        text = run_age_fact(run, host, now).text
        return lines.line((text if len(text) <= width else duration(now - run_received_at(run, host)), FAINT))
    if run.view.is_terminal:
        return lines.line((ended if len(ended) <= width else ended.removesuffix(" ago"), FAINT))
    return old(run_age_fact(run, host, now), width)


def old(fact: Fact, width: int) -> Text:
    """An age, without its last word where there is no room."""
    word = fact.word if len(fact.word) <= width else fact.word.removesuffix(" ago")
    return lines.line((word, hue(fact.colour)))


def _lamp(run: RunRecord, bands: Bands | None, metric: str, width: int) -> Text:
    """Glyph of a lamp at the left, with its word where there is room, and its value at the right."""
    value = run.newest(metric) if run.is_command else run.row.get(metric)
    if value is None and run.catalogue and metric not in run.catalogue:
        return lines.line(("", FAINT))  # it tells other things
    if bands is None or value is None:
        return lines.line((fixed(value, 2, width).rjust(width), FAINT))
    verdict: LampReading = judge(bands, metric, value, context_of(run))
    word = f"{verdict.glyph} {verdict.word}" if width >= 15 else verdict.glyph
    left = width - cell_len(word)
    text = fixed(value, 2, left - 1)
    return lines.line((word, hue(verdict.colour)), (text.rjust(left), PLAIN))


def _step(run: RunRecord, width: int) -> str:
    if run.step is None:
        return run.phase.phase if run.phase and not run.view.is_terminal else "n/a"
    progress = f"{run.step:,}/{run.max_steps:,}" if run.max_steps else f"{run.step:,}"
    if len(progress) > width and run.max_steps:
        return f"{run.step:,} {share(run.step, run.max_steps)}".replace(" %", "%")
    return progress


def _memory(run: RunRecord) -> str:
    used = run.row.get("memory_bytes", run.row.get("rss"))
    return size(used) if used is not None else ""
