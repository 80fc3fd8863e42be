"""Put tables and pictures of the results into docs/kuramoto.md."""

import argparse
from pathlib import Path

from benchmarks.learning.contenders import CONTENDERS
from benchmarks.learning.fingerprint import function_of
from benchmarks.learning.ledger import RESULTS, Ledger, Run, lines_of, read
from benchmarks.learning.picture import Panel, draw
from benchmarks.learning.plan import LONG, SEEDS, SHORT, Scope, chosen
from benchmarks.learning.tables import page
from benchmarks.pages import put

ROOT = Path(__file__).parents[2]
PAGE = ROOT / "docs" / "kuramoto.md"
CORPORA = ("python-docs", "books")
CURVES, RECALL = "kuramoto-learning.svg", "kuramoto-recall.svg"
SHOWN_BINDINGS = "4"


def add_options(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--results", type=Path, default=RESULTS)
    parser.add_argument("--page", type=Path, default=PAGE)


def main(options: argparse.Namespace) -> int:
    """Rewrite the page between its markers, and the pictures beside it."""
    fingerprints = {
        line.corpus: line.fingerprint for line in lines_of(options.results) if isinstance(line, Run)
    }
    functions = {name: function_of(name) for name in CONTENDERS}
    ledger = read(options.results, functions, fingerprints)
    scope = Scope(tuple(CONTENDERS), CORPORA)
    folder: Path = options.page.parent
    pictures = []
    if panels := learning_panels(ledger):
        (folder / CURVES).write_text(draw(panels), encoding="utf-8")
        pictures.append(f"![validation CE over bytes]({CURVES})")
    if panels := recall_panels(ledger):
        (folder / RECALL).write_text(draw(panels), encoding="utf-8")
        pictures.append(f"![recall by distance]({RECALL})")
    put(options.page, "learning", "\n\n".join([page(ledger, scope), *pictures]))
    return 0


def learning_panels(ledger: Ledger) -> list[Panel]:
    """Validation CE over bytes of the longest runs at equal tokens, a panel a corpus."""
    found = []
    for corpus in CORPORA:
        for steps in (LONG, SHORT):
            runs = [run for run in ledger.runs if is_shown(ledger, run, corpus, steps)]
            if runs:
                found.append(_learning_panel(corpus, runs))
                break
    return found


def is_shown(ledger: Ledger, run: Run, corpus: str, steps: int) -> bool:
    """Whether it is the run of the first seed, at this length and with the chosen setting."""
    return (run.corpus, run.steps, run.seed) == (corpus, steps, SEEDS[0]) and run.setting == chosen(
        ledger, run.model
    )


def _learning_panel(corpus: str, runs: list[Run]) -> Panel:
    lines = {run.model: [(seen / 1e6, ce) for seen, ce in run.curve] for run in runs}
    levels = {name: value for name, value in runs[0].floors.items() if name != "unigram"}
    last = [points[-1][1] for points in lines.values() if points]
    return Panel(
        f"{corpus}, seed {runs[0].seed}",
        "million bytes",
        "validation CE, nats a byte (16 KB of it)",
        lines,
        min(last, default=1.0) - 0.05,
        levels["bigram"] + 0.1,
        levels,
    )


def recall_panels(ledger: Ledger) -> list[Panel]:
    """Accuracy over distance with four bindings, of the models that were trained as long as the last one."""
    found = [line for line in ledger.recalls if SHOWN_BINDINGS in line.accuracy]
    if not found:
        return []
    last, chance = found[-1], found[-1].chance
    lines = {
        line.model: [(float(far), share) for far, share in line.accuracy[SHOWN_BINDINGS].items()]
        for line in found
        if (line.steps, line.settings) == (last.steps, last.settings)
    }
    label = f"share recalled, {SHOWN_BINDINGS} bindings"
    return [Panel("recall", "distance, bytes", label, lines, 0.0, 1.0, {"chance": chance}, log_x=True)]
