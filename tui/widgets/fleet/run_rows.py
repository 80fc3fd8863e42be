"""The row of one run in the Fleet table."""

from rich.cells import cell_len
from rich.text import Text

from trainer.telemetry.bands import Bands
from trainer.telemetry.judge import LampReading, judge
from tui.store.facts import Fact, is_stale, link_fact, run_age_fact, run_received_at, state_fact
from tui.store.fleet_view import BAD
from tui.store.hosts import HostRecord
from tui.store.lamps import context_of
from tui.store.runs import RunRecord
from tui.store.words import age, duration, number, share, shortened, size
from tui.theme import DIM, FAINT, PLAIN, hue
from tui.widgets import lines
from tui.widgets.fleet.fleet_columns import Fit
from tui.widgets.lines import Part

MARKED = "▪ "
FREE = ("u_val", "R", "grad", "load", "memory", "power")  # of a run that failed they say nothing


def received(fact: Fact, width: int) -> Text:
    """When something was received last, in so many cells."""
    word = fact.word if len(fact.word) <= width else fact.word.removesuffix(" ago")
    return lines.line((word, hue(fact.colour)))


def run_row(
    run: RunRecord,
    host: HostRecord,
    bands: Bands | None,
    now: float,
    fit: Fit,
    *,
    wall: float | None = None,
    marked: bool = False,
) -> dict[str, Text]:
    """The row of a run; one that cannot be laid out says so, and hides no other. `wall`: epoch seconds."""
    try:
        return _cells(run, host, bands, (now, wall), fit, marked=marked)
    except Exception as error:
        return {"run": lines.line((f"  {run.run_id} cannot be shown: {error!r}"[:200], hue("red")))}


def _cells(
    run: RunRecord,
    host: HostRecord,
    bands: Bands | None,
    times: tuple[float, float | None],
    fit: Fit,
    *,
    marked: bool,
) -> dict[str, Text]:
    """The row of a run; all of it recedes while its host cannot be asked: it is a stale view."""
    link = link_fact(host, times[0])
    cells = {
        "run": _named(run, fit.width("run"), marked=marked),
        "link": lines.line((f"{shortened(run.host, 12, 4)} ", DIM), (link.glyph, hue(link.colour))),
        "state": lines.fact(state_fact(run, host), detail=False),
        "step": lines.line((_step(run, fit.width("step")), PLAIN)),
        "loss": lines.line((number(run.loss, 4), PLAIN)),
        "u_val": _lamp(run, bands, "u_val", worded=False),
        "R": _lamp(run, bands, "R", worded=fit.width("R") >= 15),
        "grad": _lamp(run, bands, "grad_norm", worded=False),
        "load": lines.line((run.view.device, DIM)),
        "memory": lines.line((_memory(run), DIM)),
        "power": lines.line(("", DIM)),
        "data": _age(run, host, times, fit.width("data")),
    }
    cells = _with_reason(run, cells, fit)
    if is_stale(host):
        return {name: Text(cell.plain, style=FAINT, end="", no_wrap=True) for name, cell in cells.items()}
    return cells


def _age(run: RunRecord, host: HostRecord, times: tuple[float, float | None], width: int) -> Text:
    """The data's age; of a run that is over when it ended, by its host's clock."""
    now, wall = times
    if is_stale(host):
        text = run_age_fact(run, host, now).text
        return lines.line((text if len(text) <= width else duration(now - run_received_at(run, host)), FAINT))
    if run.view.is_terminal:
        if wall is None:
            return lines.line(("over", FAINT))
        ended = age(max(wall + (host.wall_ahead or 0.0) - run.view.since, 60.0) // 60 * 60)
        return lines.line((ended if len(ended) <= width else ended.removesuffix(" ago"), FAINT))
    return received(run_age_fact(run, host, now), width)


def _lamp(run: RunRecord, bands: Bands | None, metric: str, *, worded: bool) -> Text:
    """Value and glyph of a lamp, with its word where there is room."""
    value = run.newest(metric) if run.is_command else run.row.get(metric)
    if value is None and run.catalogue and metric not in run.catalogue:
        return lines.line(("", FAINT))  # it tells other things
    if bands is None or value is None:
        return lines.line(("n/a" if value is None else number(value, 3), FAINT))
    verdict: LampReading = judge(bands, metric, value, context_of(run))
    word = f" {verdict.word}" if worded else ""
    digits = 3 if abs(value) >= 1 else 2
    return lines.line((f"{verdict.glyph}{word} ", hue(verdict.colour)), (f"{value:.{digits}g}", PLAIN))


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


def _named(run: RunRecord, width: int, *, marked: bool) -> Text:
    """The name first; what only tells it from its kin recedes behind it."""
    mark: Part = (MARKED, hue("amber", bold=True)) if marked else ("  ", PLAIN)
    room, name, run_id = width - len(MARKED), run.name, run.run_id
    if run_id.startswith(name) and len(run_id) <= room:
        return lines.line(mark, (name, PLAIN), (run_id[len(name) :], DIM))
    if name and cell_len(name) + 2 + len(run_id) <= room:
        return lines.line(mark, (name, PLAIN), (f"  {run_id}", DIM))
    return lines.line(mark, (shortened(run_id, room), PLAIN))


def _with_reason(run: RunRecord, cells: dict[str, Text], fit: Fit) -> dict[str, Text]:
    """Of a run that failed: why, in the columns that have nothing to say of it."""
    first = next((name for name in FREE if fit.width(name)), None)
    if run.view.state not in BAD or not run.view.reason or first is None:
        return cells
    kept = {name: cell for name, cell in cells.items() if name not in FREE}
    return kept | {f"{first}+": lines.line((run.view.reason, hue("red")))}
