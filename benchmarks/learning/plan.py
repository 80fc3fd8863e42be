"""What is to be run next, given what there is: stages in order, each a list of trials. No torch."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace

from benchmarks.learning.contenders import CONTENDERS, STEP_BYTES, SUBJECT, Setting
from benchmarks.learning.ledger import Cost, Ledger, Trial

RATES = (1e-3, 2e-3, 3e-3, 6e-3)
WARMUPS = (40, 100, 200)
"""Steps."""
BETA2 = (0.95, 0.99)
"""Beside 0.98."""
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
    """Each model's own setting, as far as is known yet what to try for it."""
    for name in scope.models:
        yield from rate_trials(ledger, name)


def rate_trials(ledger: Ledger, name: str) -> list[Trial]:
    """What is to be tried for one model, as far as is known yet.

    Rates from the highest down with the longest warm-up, for as long as a lower one is better; then shorter
    warm-ups likewise, at what won; then other values of beta2 at what won.
    """
    walk = _Walk(ledger, name)
    walk.down([Setting(lr, warmup=WARMUPS[-1]) for lr in reversed(RATES)])
    walk.down([replace(walk.best, warmup=steps) for steps in reversed(WARMUPS)])
    return walk.over([replace(walk.best, beta2=beta2) for beta2 in BETA2])


def chosen(ledger: Ledger, name: str) -> Setting | None:
    """The setting with the lowest validation CE on the seed of selection, of all that were ever tried there;
    None until all that are to be tried were.
    """
    if any(ledger.of(trial) is None for trial in rate_trials(ledger, name)):
        return None
    return _best(ledger, tried(ledger, name))


def tried(ledger: Ledger, name: str) -> list[Trial]:
    """Every run on the seed of selection, planned or not, best first."""
    runs = [run for run in ledger.runs if run.trial == _rate_trial(name, run.setting)]
    return [run.trial for run in sorted(runs, key=lambda run: (run.val_ce is None, run.val_ce))]


class _Walk:
    """A search along one quantity after another; it ends where a run is missing, with that as the last."""

    def __init__(self, ledger: Ledger, name: str) -> None:
        self._ledger, self._name = ledger, name
        self._tried: dict[Trial, None] = {}
        self._ended = False
        self.best = Setting(RATES[-1], warmup=WARMUPS[-1])

    def down(self, settings: Sequence[Setting]) -> None:
        """Try them in turn until one is no better than the best so far."""
        for setting in settings:
            if self._ended:
                return
            trial = _rate_trial(self._name, setting)
            self._tried[trial] = None
            self._ended = self._ledger.of(trial) is None
            self.best = _best(self._ledger, [_rate_trial(self._name, self.best), trial]) or self.best
            if self.best != setting:
                return

    def over(self, settings: Sequence[Setting]) -> list[Trial]:
        """Return all that was tried, with these at the end of the search."""
        last = () if self._ended else (_rate_trial(self._name, setting) for setting in settings)
        return list(self._tried | dict.fromkeys(last))


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


def planned(ledger: Ledger, scope: Scope, stage: str) -> int:
    """How many runs a stage has once rates and costs are known; some may be the same as another stage's."""
    if stage == "rates":
        return sum(len(rate_trials(ledger, name)) for name in scope.models)
    seeds = len(SEEDS) if stage in ("equal-tokens", "equal-cpu") else 1
    return len(scope.corpora) * seeds * (len(scope.models) - (stage in NEED_COST))


def _rate_trial(name: str, setting: Setting) -> Trial:
    return Trial(name, RATE_CORPUS, SHORT, RATE_SEED, setting)


def _best(ledger: Ledger, trials: Sequence[Trial]) -> Setting | None:
    """The setting of the best of those that are there and did not diverge."""
    runs = [run for trial in trials if (run := ledger.of(trial))]
    scored = [(run.val_ce, run.setting) for run in runs if run.val_ce is not None]
    return min(scored, key=lambda one: one[0])[1] if scored else None


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
            yield Trial(name, corpus, cost.steps(name, steps), seed, setting)
