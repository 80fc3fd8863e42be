"""What the results say, as Markdown: every table says what is not there yet. No torch."""

from collections.abc import Callable, Iterable, Iterator
from statistics import mean

from benchmarks.learning.compare import paired
from benchmarks.learning.contenders import CONTENDERS, STEP_BYTES, SUBJECT
from benchmarks.learning.ledger import Cost, Ledger, Recall, Run, Trial
from benchmarks.learning.plan import (
    GRID,
    LONG,
    RATE_CORPUS,
    RATE_SEED,
    SEEDS,
    SHORT,
    STAGES,
    Scope,
    chosen,
    done,
    planned,
)

NOT_YET = "not yet"
Steps = Callable[[str], int | None]


def page(ledger: Ledger, scope: Scope) -> str:
    """All tables, one after another."""
    parts = [rates(ledger), cost(scope.cost(ledger))]
    for corpus in scope.corpora:
        parts.append(f"### {corpus}\n\n{_floors(ledger, corpus)}")
        parts.append(comparison(ledger, corpus, "1M bytes, equal tokens", SEEDS, SHORT, lambda _: SHORT))
        parts.append(
            comparison(
                ledger, corpus, "Equal CPU time, that of 1M bytes", SEEDS, SHORT, _equal(ledger, scope, SHORT)
            )
        )
        parts.append(comparison(ledger, corpus, "4M bytes, equal tokens", SEEDS[:1], LONG, lambda _: LONG))
        parts.append(
            comparison(
                ledger,
                corpus,
                "Equal CPU time, that of 4M bytes",
                SEEDS[:1],
                LONG,
                _equal(ledger, scope, LONG),
            )
        )
    parts.append(recall(ledger.recalls))
    parts.append(outlook(ledger, scope))
    return "\n\n".join(part for part in parts if part)


def rates(ledger: Ledger) -> str:
    """Validation CE by rate on the seed of selection, and what was chosen."""
    head = [f"{one.lr:g}, {one.warmup}" for one in GRID]
    rows = []
    for name in CONTENDERS:
        runs = [ledger.of(Trial(name, RATE_CORPUS, SHORT, RATE_SEED, one)) for one in GRID]
        setting = chosen(ledger, name)
        said = NOT_YET
        if setting:
            said = f"{setting.lr:g}, beta2 {setting.beta2:g}, warm-up {setting.warmup}"
        rows.append([name, _parameters(ledger, name), *(_ce(run) for run in runs), said])
    text = f"Rate, warm-up in steps: validation CE at 1M bytes of `{RATE_CORPUS}`, seed {RATE_SEED}.\n\n"
    return text + _table(["model", "parameters", *head, "chosen"], rows)


def cost(found: Cost | None) -> str:
    """CPU time of a step."""
    if found is None:
        return "The cost of a step was not measured with this code yet."
    rows = [[name, f"{found.ms[name]:.0f}", f"{found.ratio[name]:.2f}"] for name in found.ms]
    return (
        f"Process CPU time of a step, {found.threads} thread, {found.kernels} kernels, "
        f"median of {found.rounds} turns.\n\n"
        + _table(["model", "ms", f"steps for one of `{SUBJECT}`"], rows)
    )


def comparison(
    ledger: Ledger, corpus: str, title: str, seeds: Iterable[int], ours: int, theirs: Steps
) -> str:
    """Each model's CE, and the subject's less its own, paired by seed."""
    rows: list[list[str]] = []
    for name in CONTENDERS:
        steps = ours if name == SUBJECT else theirs(name)
        found = _by_seed(ledger, name, corpus, seeds, steps)
        base = _by_seed(ledger, SUBJECT, corpus, seeds, ours)
        both = sorted(found.keys() & base.keys())
        apart = NOT_YET
        if name == SUBJECT:
            apart = ""
        elif both:
            apart = str(paired([base[seed] for seed in both], [found[seed] for seed in both]))
        read = f"{steps * STEP_BYTES / 1e6:.2f}M" if steps else NOT_YET
        score = f"{mean(found.values()):.3f}" if found else NOT_YET
        rows.append([name, read, score, apart, str(len(found))])
    if all(row[-1] == "0" for row in rows):
        return f"{title}: not measured yet."
    return f"{title}:\n\n" + _table(
        ["model", "bytes", "validation CE", f"`{SUBJECT}` less it", "seeds"], rows
    )


def recall(lines: Iterable[Recall]) -> str:
    """Accuracy by distance, a table for each number of bindings; the last line of each model and setting."""
    newest = {(line.model, tuple(line.settings), line.steps, line.context): line for line in lines}
    if not newest:
        return "### Recall\n\nNot measured yet."
    parts = ["### Recall"]
    bindings = dict.fromkeys(held for line in newest.values() for held in line.accuracy)
    for held in bindings:
        shown = [line for line in newest.values() if held in line.accuracy]
        distances = list(dict.fromkeys(far for line in shown for far in line.accuracy[held]))
        rows = [
            [
                line.model,
                " ".join(line.settings) or "-",
                f"{line.steps} x {line.batch} x {line.context}",
                *(
                    f"{line.accuracy[held][far]:.2f}" if far in line.accuracy[held] else ""
                    for far in distances
                ),
            ]
            for line in shown
        ]
        asked = min(count for line in shown for count in line.n[held].values())
        parts.append(
            f"{held} binding{'s' * (held != '1')}, share recalled by distance in bytes "
            f"({asked} questions a point; chance {shown[0].chance:.2f}):\n\n"
            + _table(["model", "settings", "steps x batch x context", *distances], rows)
        )
    return "\n\n".join(parts)


def outlook(ledger: Ledger, scope: Scope) -> str:
    """How many runs of the study are there, stage by stage."""
    rows = [[stage, str(done(ledger, scope, stage)), str(planned(scope, stage))] for stage in STAGES]
    stale = f"\n\n{len(ledger.stale)} lines of models or texts that have changed since are left out."
    text = "How much of the study is there:\n\n"
    return text + _table(["stage", "runs", "of"], rows) + stale * bool(ledger.stale)


def _equal(ledger: Ledger, scope: Scope, steps: int) -> Steps:
    found = scope.cost(ledger)
    ratios = found.ratio if found else {}
    return lambda name: round(ratios[name] * steps) if name in ratios else None


def _by_seed(
    ledger: Ledger, name: str, corpus: str, seeds: Iterable[int], steps: int | None
) -> dict[int, float]:
    setting = chosen(ledger, name)
    if setting is None or steps is None:
        return {}
    runs = {seed: ledger.of(Trial(name, corpus, steps, seed, setting)) for seed in seeds}
    return {seed: run.val_ce for seed, run in runs.items() if run and run.val_ce is not None}


def _floors(ledger: Ledger, corpus: str) -> str:
    run = next((run for run in ledger.runs if run.corpus == corpus), None)
    if run is None:
        return "No run yet."
    return "Floors: " + ", ".join(f"{name} {value:.3f}" for name, value in run.floors.items()) + "."


def _parameters(ledger: Ledger, name: str) -> str:
    run = next((run for run in ledger.runs if run.model == name), None)
    return f"{run.parameters:,}" if run else NOT_YET


def _ce(run: Run | None) -> str:
    if run is None:
        return NOT_YET
    return "diverged" if run.val_ce is None else f"{run.val_ce:.3f}"


def _table(head: list[str], rows: list[list[str]]) -> str:
    return "\n".join(_lines(head, rows))


def _lines(head: list[str], rows: list[list[str]]) -> Iterator[str]:
    yield "| " + " | ".join(head) + " |"
    yield "|" + "---|" * len(head)
    for row in rows:
        yield "| " + " | ".join(row) + " |"
