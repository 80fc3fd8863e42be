"""A run as one page that needs nothing else: no script, no network; everything that was told is text."""

from collections.abc import Iterable, Mapping, Sequence
from math import isfinite

from remote.protocol.sanitise import clean
from tui.commands.exports.chart_frame import charts_of
from tui.commands.exports.chart_svg import STYLE, inline_svg, text
from tui.commands.exports.recorded_run import Point, RecordedRun
from tui.store.words import number, size

POLICY = "default-src 'none'; style-src 'unsafe-inline'"
PAGE = """
body{font:14px/1.5 system-ui,sans-serif;max-width:1180px;margin:2rem auto;padding:0 1rem}
body{color:#222;background:#fff}
h1{font-size:1.5rem;margin:0}h2{font-size:1.05rem;margin:2rem 0 .5rem}.dim{color:#777}
.charts{display:grid;grid-template-columns:repeat(auto-fill,minmax(440px,1fr));gap:12px}
table{border-collapse:collapse}td,th{padding:2px 14px 2px 0;text-align:left;vertical-align:top}
td.n,th.n{text-align:right;font-variant-numeric:tabular-nums}pre{white-space:pre-wrap;overflow-wrap:anywhere}
.scroll{max-height:28rem;overflow:auto}
@media (prefers-color-scheme:dark){body{color:#ccc;background:#15171c}.dim{color:#888}}
"""


def html_bytes(run: RecordedRun) -> bytes:
    """The page: facts, charts, numbers, configuration, environment, floors, samples, checkpoints, notes."""
    parts = [
        '<!doctype html><html lang="en"><head><meta charset="utf-8">',
        f'<meta http-equiv="Content-Security-Policy" content="{text(POLICY)}">',
        '<meta name="viewport" content="width=device-width">',
        f"<title>{text(run.name)}</title><style>{PAGE}{STYLE}</style></head><body>",
        f'<h1>{text(run.name)}</h1><div class="dim">{text(run.where)}</div>',
        _section("Run", _pairs(run.facts)),
        _section("Charts", _charts(run)),
        _section("Numbers", _numbers(run.series())),
        _section("Floors", _pairs(_floors(run))),
        _section("Configuration", _pairs(run.config)),
        _section("Environment", _pairs(run.environment)),
        _section(
            "Samples", "".join(_sample(one.step, one.prompt, one.text) for one in reversed(run.samples))
        ),
        _section("Checkpoints", _checkpoints(run)),
        _section("Notes", "".join(f"<div>{text(f'{one.level}: {one.message}')}</div>" for one in run.notes)),
        '<p class="dim">written by Photinus</p></body></html>\n',
    ]
    return "".join(parts).encode("utf-8", "replace")


def _section(title: str, inside: str) -> str:
    return f"<section><h2>{text(title)}</h2>{inside}</section>" if inside else ""


def _pairs(pairs: Mapping[str, str]) -> str:
    rows = "".join(
        f'<tr><td class="dim">{text(name)}</td><td>{text(value)}</td></tr>' for name, value in pairs.items()
    )
    return f'<div class="scroll"><table>{rows}</table></div>' if rows else ""


def _charts(run: RecordedRun) -> str:
    drawn = "".join(map(inline_svg, charts_of(run)))
    return f'<div class="charts">{drawn}</div>' if drawn else "<p>no numbers were told</p>"


def _numbers(series: Mapping[str, Sequence[Point]]) -> str:
    head = "".join(
        f'<th class="n">{word}</th>' for word in ("rows", "first", "least", "greatest", "last", "at step")
    )
    rows = "".join(
        f"<tr><td>{text(name)}</td>"
        + "".join(f'<td class="n">{text(cell)}</td>' for cell in _statistics(points))
        + "</tr>"
        for name, points in series.items()
    )
    return f'<div class="scroll"><table><tr><th>metric</th>{head}</tr>{rows}</table></div>' if rows else ""


def _statistics(points: Sequence[Point]) -> Iterable[str]:
    finite = [value for _, value in points if isfinite(value)]
    yield f"{len(points):,}"
    yield number(points[0][1], 5)
    yield number(min(finite), 5) if finite else "n/a"
    yield number(max(finite), 5) if finite else "n/a"
    yield number(points[-1][1], 5)
    yield f"{points[-1][0]:,}"


def _floors(run: RecordedRun) -> dict[str, str]:
    floors = run.floors
    if floors is None:
        return {}
    entropies = {"unigram": floors.unigram, "bigram": floors.bigram, "trigram": floors.trigram}
    if floors.entropy_rate is not None:
        entropies["entropy rate"] = floors.entropy_rate
    return {name: f"{number(value, 5)} nats a token" for name, value in entropies.items()}


def _sample(step: int | None, prompt: str, continuation: str) -> str:
    head = f"step {step:,}" if step is not None else ""
    whole = clean(f"{prompt}{continuation}")
    escaped = "".join(f"{text(line)}\n" for line in whole.split("\n"))
    return f'<div class="dim">{text(head)}</div><pre>{escaped}</pre>'


def _checkpoints(run: RecordedRun) -> str:
    rows = "".join(
        f'<tr><td class="n">{one.step or 0:,}</td><td>{text(one.kind)}</td><td>{text(one.path)}</td>'
        f'<td class="n">{text(size(one.bytes) if one.bytes else "")}</td></tr>'
        for one in reversed(run.checkpoints)
    )
    return f'<div class="scroll"><table>{rows}</table></div>' if rows else ""
