"""What the results say, as Markdown: every table says what is not there yet. No torch."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from statistics import mean

from benchmarks.learning.compare import paired
from benchmarks.learning.contenders import CONTENDERS, STEP_BYTES, SUBJECT, Setting
from benchmarks.learning.ledger import Cost, Ledger, Recall, Run, Trial
from benchmarks.learning.plan import (
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
    tried,
)

NOT_YET = "not yet"


def page(ledger: Ledger, scope: Scope) -> str:
    """All tables, one after another."""
    parts = [rates(ledger), cost(scope.cost(ledger))]
    for corpus in scope.corpora:
        parts.append(f"### {corpus}\n\n{_floors(ledger, corpus)}")
        for size, steps, seeds in (("1M", SHORT, SEEDS), ("4M", LONG, SEEDS[:1])):
            tokens, same = f"{size} bytes, equal tokens", f"Equal CPU time, that of {size} bytes"
            parts.append(comparison(_Runs(ledger, corpus, seeds, steps), tokens))
            parts.append(comparison(_Runs(ledger, corpus, seeds, steps, True, scope.cost(ledger)), same))
    parts.append(recall(ledger.recalls))
    parts.append(outlook(ledger, scope))
    return "\n\n".join(part for part in parts if part)


def rates(ledger: Ledger) -> str:
    """Every setting that was tried on the seed of selection, best first, and whether that is the choice."""
    rows = []
    for name in CONTENDERS:
        runs = [ledger.of(trial) for trial in tried(ledger, name)]
        told = [f"{_ce(run)}: {_setting(run.setting)}" for run in runs if run]
        best = (f"**{told[0]}**" if chosen(ledger, name) else told[0]) if told else NOT_YET
        rows.append([name, _parameters(ledger, name), best, "; ".join(told[1:])])
    text = (
        f"Validation CE at 1M bytes of `{RATE_CORPUS}`, seed {RATE_SEED}: rate, steps of warm-up, beta2. "
        "The search of a model is over where its best is bold.\n\n"
    )
    return text + _table(["model", "parameters", "best", "others"], rows)


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


def comparison(runs: "_Runs", title: str) -> str:
    """Each model's CE, and the subject's less its own, paired by seed."""
    base = runs.of(SUBJECT)
    rows: list[list[str]] = []
    for name in CONTENDERS:
        found = runs.of(name)
        both = sorted(found.keys() & base.keys())
        apart = NOT_YET
        if name == SUBJECT:
            apart = ""
        elif both:
            apart = str(paired([base[seed][1] for seed in both], [found[seed][1] for seed in both]))
        read = f"{mean(one[0] for one in found.values()) / 1e6:.2f}M" if found else NOT_YET
        score = f"{mean(one[1] for one in found.values()):.3f}" if found else NOT_YET
        rows.append([name, read, score, apart, str(len(found))])
    if all(row[-1] == "0" for row in rows):
        return f"{title}: not measured yet."
    return f"{title}:\n\n" + _table(
        ["model", "bytes", "validation CE", f"`{SUBJECT}` less it", "seeds"], rows
    )


def recall(lines: Iterable[Recall]) -> str:
    """Accuracy by distance, a table for each number of bindings; the last line of each model and setting."""
    newest = {(line.model, tuple(line.settings), line.lr, line.steps, line.context): line for line in lines}
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
                " ".join([*line.settings, f"rate {line.lr:g}"]),
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
    rows = [[stage, str(done(ledger, scope, stage)), str(planned(ledger, scope, stage))] for stage in STAGES]
    stale = f"\n\n{len(ledger.stale)} lines of models or texts that have changed since are left out."
    text = "How much of the study is there:\n\n"
    return text + _table(["stage", "runs", "of"], rows) + stale * bool(ledger.stale)


@dataclass(frozen=True, slots=True)
class _Runs:
    """The runs of one comparison.

    Attributes:
        steps: of the subject.
        equal_cpu: the others get as many as the cost says, and none without a cost; otherwise as many.
    """

    ledger: Ledger
    corpus: str
    seeds: Sequence[int]
    steps: int
    equal_cpu: bool = False
    cost: Cost | None = None

    def of(self, name: str) -> dict[int, tuple[int, float]]:
        """Seed -> bytes read and validation CE."""
        setting = chosen(self.ledger, name)
        if setting is None:
            return {}
        find, steps = self.ledger.of, self.steps
        if self.equal_cpu:
            if self.cost is None or name not in self.cost.ratio:
                return {}
            if name != SUBJECT:
                find, steps = self.ledger.near, self.cost.steps(name, self.steps)
        runs = {seed: find(Trial(name, self.corpus, steps, seed, setting)) for seed in self.seeds}
        return {
            seed: (run.steps * STEP_BYTES, run.val_ce)
            for seed, run in runs.items()
            if run and run.val_ce is not None
        }


def _floors(ledger: Ledger, corpus: str) -> str:
    run = next((run for run in ledger.runs if run.corpus == corpus), None)
    if run is None:
        return "No run yet."
    return "Floors: " + ", ".join(f"{name} {value:.3f}" for name, value in run.floors.items()) + "."


def _parameters(ledger: Ledger, name: str) -> str:
    run = next((run for run in ledger.runs if run.model == name), None)
    return f"{run.parameters:,}" if run else NOT_YET


def _setting(setting: Setting) -> str:
    return f"{setting.lr:g}, {setting.warmup}, {setting.beta2:g}"


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
