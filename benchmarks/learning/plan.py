"""What is to be run next, given what there is: stages in order, each a list of trials. No torch."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace

from benchmarks.learning.contenders import CONTENDERS, STEP_BYTES, SUBJECT, Setting
from benchmarks.learning.ledger import Cost, Ledger, Trial

RATES = (1e-3, 2e-3, 3e-3, 6e-3)
WARMUPS = (100, 200)
"""Steps; tried at the highest rate, which is the one that needs them."""
GRID = (*(Setting(lr) for lr in RATES), *(Setting(RATES[-1], warmup=steps) for steps in WARMUPS))
BETA2 = (0.95, 0.99)
RATE_CORPUS = "python-docs"
RATE_SEED = 1
"""Not reused in the comparison."""
SEEDS = (11, 12, 13)
SHORT, LONG = 1_000_000 // STEP_BYTES, 4_000_000 // STEP_BYTES


@dataclass(frozen=True, slots=True)
class Scope:
    """What one call of the study looks at.

    Attributes:
        digest: of today's code, to know which cost counts; "" for the last one of any.
        kernels: likewise; `native` or `torch`.
    """

    models: tuple[str, ...]
    corpora: tuple[str, ...]
    digest: str = ""
    kernels: str = ""

    def cost(self, ledger: Ledger) -> Cost | None:
        """The cost that decides what equal CPU time is."""
        return ledger.cost(self.digest, self.kernels)


def rates(ledger: Ledger, scope: Scope) -> Iterator[Trial]:
    """Each model's own setting: rates, warm-ups, then other values of beta2 at what won."""
    for name in scope.models:
        yield from rate_trials(ledger, name)


def rate_trials(ledger: Ledger, name: str) -> list[Trial]:
    """The grid of one model; once it is there, other values of beta2 at what won, too."""
    grid = _grid(name)
    best = _best(ledger, grid)
    return [*grid, *(_others(name, best) if best else ())]


def chosen(ledger: Ledger, name: str) -> Setting | None:
    """The setting with the lowest validation CE on the seed of selection, of all that were ever tried there;
    None until all that are planned were.
    """
    planned = rate_trials(ledger, name)
    if len(planned) == len(GRID) or _best(ledger, planned) is None:
        return None
    tried = {run.trial for run in ledger.runs if run.trial == _rate_trial(name, run.setting)}
    return _best(ledger, [*planned, *(tried - set(planned))])


def _grid(name: str) -> list[Trial]:
    return [_rate_trial(name, setting) for setting in GRID]


def _others(name: str, best: Setting) -> list[Trial]:
    return [_rate_trial(name, replace(best, beta2=beta2)) for beta2 in BETA2]


def equal_tokens(ledger: Ledger, scope: Scope) -> Iterator[Trial]:
    """A million bytes, every model, three seeds."""
    for corpus in scope.corpora:
        for seed in SEEDS:
            yield from _each(ledger, scope, corpus, seed, SHORT)


def equal_cpu(ledger: Ledger, scope: Scope) -> Iterator[Trial]:
    """As much CPU time as the subject takes for a million bytes, three seeds."""
    for corpus in scope.corpora:
        for seed in SEEDS:
            yield from _each_at_equal_cost(ledger, scope, corpus, seed, SHORT)


def long(ledger: Ledger, scope: Scope) -> Iterator[Trial]:
    """Four million bytes, one seed."""
    for corpus in scope.corpora:
        yield from _each(ledger, scope, corpus, SEEDS[0], LONG)


def long_cpu(ledger: Ledger, scope: Scope) -> Iterator[Trial]:
    """As much CPU time as the subject takes for four million, one seed."""
    for corpus in scope.corpora:
        yield from _each_at_equal_cost(ledger, scope, corpus, SEEDS[0], LONG)


Stage = Callable[[Ledger, Scope], Iterator[Trial]]
STAGES: dict[str, Stage] = {
    "rates": rates,
    "equal-tokens": equal_tokens,
    "equal-cpu": equal_cpu,
    "long": long,
    "long-cpu": long_cpu,
}
NEED_COST = ("equal-cpu", "long-cpu")


def missing(ledger: Ledger, scope: Scope, stages: Sequence[str]) -> list[Trial]:
    """What is still to be run, in order, as far as it can be known yet."""
    found: dict[Trial, None] = {}
    for stage in stages:
        there = ledger.near if stage in NEED_COST else ledger.of
        found |= dict.fromkeys(trial for trial in STAGES[stage](ledger, scope) if there(trial) is None)
    return list(found)


def done(ledger: Ledger, scope: Scope, stage: str) -> int:
    """How many runs of a stage are there."""
    there = ledger.near if stage in NEED_COST else ledger.of
    return sum(there(trial) is not None for trial in set(STAGES[stage](ledger, scope)))


def planned(scope: Scope, stage: str) -> int:
    """How many runs a stage has once rates and costs are known; some may be the same as another stage's."""
    if stage == "rates":
        return len(scope.models) * (len(GRID) + len(BETA2))
    seeds = len(SEEDS) if stage in ("equal-tokens", "equal-cpu") else 1
    return len(scope.corpora) * seeds * (len(scope.models) - (stage in NEED_COST))


def _rate_trial(name: str, setting: Setting) -> Trial:
    return Trial(name, RATE_CORPUS, SHORT, RATE_SEED, setting)


def _best(ledger: Ledger, trials: Sequence[Trial]) -> Setting | None:
    runs = [ledger.of(trial) for trial in trials]
    scored = [(run.val_ce, run.setting) for run in runs if run and run.val_ce is not None]
    if None in runs or not scored:
        return None
    return min(scored, key=lambda one: one[0])[1]


def _each(ledger: Ledger, scope: Scope, corpus: str, seed: int, steps: int) -> Iterator[Trial]:
    for name in scope.models:
        if setting := chosen(ledger, name):
            yield Trial(name, corpus, steps, seed, setting)


def _each_at_equal_cost(ledger: Ledger, scope: Scope, corpus: str, seed: int, steps: int) -> Iterator[Trial]:
    cost = scope.cost(ledger)
    if cost is None:
        return
    for name in scope.models:
        setting = chosen(ledger, name)
        if setting and name != SUBJECT and name in CONTENDERS:
            yield Trial(name, corpus, round(cost.ratio[name] * steps), seed, setting)
