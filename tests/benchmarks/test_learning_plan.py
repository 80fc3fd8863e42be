"""What the study of learning runs next, and which results it takes for its own."""

from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path

import pytest

from benchmarks.learning.contenders import Setting
from benchmarks.learning.ledger import Cost, Ledger, Run, Trial, append, read, same_function
from benchmarks.learning.plan import BETA2, SEEDS, SHORT, Scope, chosen, missing

FUNCTION = (5.5, 5.0, 4.5, 4.1)
MODELS = ("kssm-v3", "gpt")
SCOPE = Scope(MODELS, ("python-docs",))


def run(trial: Trial, ce: float | None = 1.5, function: tuple[float, ...] = FUNCTION) -> Run:
    return Run(
        model=trial.model, corpus=trial.corpus, fingerprint="f", bytes=trial.steps * 2048, steps=trial.steps,
        seed=trial.seed, lr=trial.setting.lr, beta2=trial.setting.beta2, warmup=trial.setting.warmup,
        parameters=1, val_ce=ce, val_tokens=1, floors={}, curve=[], cpu_s=1.0, threads=1, function=function,
        digest="d", commit="c", torch="t", at="",
    )  # fmt: skip


def cost(digest: str = "d", kernels: str = "torch") -> Cost:
    ratio = {"kssm-v3": 1.0, "gpt": 1.75}
    return Cost(
        ms=ratio, ratio=ratio, rounds=1, threads=1, digest=digest, commit="", torch="", at="", kernels=kernels
    )


def ledger_of(tmp_path: Path, lines: Iterable[Run | Cost]) -> Ledger:
    path = tmp_path / "r.jsonl"
    for line in lines:
        append(path, line)
    return read(path, dict.fromkeys(MODELS, FUNCTION), {})


KSSM, GPT = Setting(2e-3, warmup=200), Setting(6e-3, warmup=100)


def after_the_rates() -> list[Run]:
    """Every run of selection: of `kssm-v3` a low rate won, of `gpt` the highest with a shorter warm-up."""
    scores = {
        "kssm-v3": [
            (Setting(6e-3, warmup=200), 1.6),
            (Setting(3e-3, warmup=200), 1.5),
            (KSSM, 1.4),
            (Setting(1e-3, warmup=200), 1.45),
            (Setting(2e-3, warmup=100), 1.45),
            *((replace(KSSM, beta2=beta2), 1.45) for beta2 in BETA2),
        ],
        "gpt": [
            (Setting(6e-3, warmup=200), 1.5),
            (Setting(3e-3, warmup=200), 1.6),
            (GPT, 1.4),
            (Setting(6e-3, warmup=40), 1.6),
            *((replace(GPT, beta2=beta2), 1.45) for beta2 in BETA2),
        ],
    }
    return [
        run(Trial(name, "python-docs", SHORT, 1, setting), ce)
        for name, found in scores.items()
        for setting, ce in found
    ]


def test_a_search_goes_step_by_step_and_ends_where_nothing_is_better(tmp_path: Path) -> None:
    runs = after_the_rates()
    for count in range(len(runs)):
        ledger = ledger_of(tmp_path / str(count), runs[:count])
        todo = missing(ledger, SCOPE, ["rates"])
        assert todo[0] == runs[count].trial
        name = runs[count].model
        assert chosen(ledger, name) is None
        assert len([trial for trial in todo if trial.model == name]) <= len(BETA2)
    assert missing(ledger_of(tmp_path, runs), SCOPE, ["rates"]) == []


def test_nothing_is_compared_before_a_model_has_its_own_rate(tmp_path: Path) -> None:
    ledger = ledger_of(tmp_path, after_the_rates()[:3])
    assert missing(ledger, SCOPE, ["equal-tokens"]) == []


def test_each_model_goes_on_with_what_won(tmp_path: Path) -> None:
    ledger = ledger_of(tmp_path, after_the_rates())
    assert (chosen(ledger, "kssm-v3"), chosen(ledger, "gpt")) == (KSSM, GPT)
    todo = missing(ledger, SCOPE, ["equal-tokens"])
    assert [(one.model, one.seed) for one in todo] == [(name, seed) for seed in SEEDS for name in MODELS]
    assert not {one.seed for one in todo} & {one.seed for one in after_the_rates()}


def test_a_setting_that_was_tried_beside_the_plan_is_not_forgotten(tmp_path: Path) -> None:
    """No control may be kept weak by the order in which its settings were looked for."""
    beside = Setting(3e-3, beta2=0.95)
    ledger = ledger_of(
        tmp_path, [*after_the_rates(), run(Trial("gpt", "python-docs", SHORT, 1, beside), 1.3)]
    )
    assert chosen(ledger, "gpt") == beside
    assert chosen(ledger, "kssm-v3") == KSSM


def test_a_run_that_diverged_is_over_and_never_chosen(tmp_path: Path) -> None:
    high = Setting(6e-3, warmup=200)
    diverged = run(Trial("kssm-v3", "python-docs", SHORT, 1, high), None)
    ledger = ledger_of(
        tmp_path, [diverged, *(one for one in after_the_rates() if one.trial != diverged.trial)]
    )
    assert chosen(ledger, "kssm-v3") == KSSM
    assert missing(ledger_of(tmp_path / "a", [diverged]), SCOPE, ["rates"])[0].setting == replace(
        high, lr=3e-3
    )


def test_equal_cpu_time_follows_the_cost_of_this_code_with_these_kernels(tmp_path: Path) -> None:
    ledger = ledger_of(tmp_path, [*after_the_rates(), cost("old"), cost("new", "native")])
    assert missing(ledger, Scope(MODELS, ("python-docs",), "new", "torch"), ["equal-cpu"]) == []
    todo = missing(ledger, Scope(MODELS, ("python-docs",), "new", "native"), ["equal-cpu"])
    assert {(one.model, one.steps) for one in todo} == {("gpt", round(1.75 * SHORT))}


@pytest.mark.parametrize(("steps", "left"), [(840, 2), (780, 3)])
def test_measuring_the_cost_again_leaves_runs_valid_unless_it_moved(
    tmp_path: Path, steps: int, left: int
) -> None:
    near = run(Trial("gpt", "python-docs", steps, SEEDS[0], GPT))
    ledger = ledger_of(tmp_path, [*after_the_rates(), cost(), near])
    assert len(missing(ledger, SCOPE, ["equal-cpu"])) == left


def test_what_is_in_the_file_is_not_run_again_though_a_kill_tore_a_line(tmp_path: Path) -> None:
    path, trial = tmp_path / "r.jsonl", Trial("gpt", "python-docs", SHORT, 1, Setting(1e-3))
    path.write_bytes(b'{"kind":"run","model":"gp')
    append(path, run(trial))
    ledger = read(path, {"gpt": FUNCTION}, {})
    assert ledger.of(trial) == run(trial)
    assert not any(one == trial for one in missing(ledger, SCOPE, ["rates"]))


def test_lines_of_another_model_or_another_text_are_stale(tmp_path: Path) -> None:
    path, trial = tmp_path / "r.jsonl", Trial("gpt", "python-docs", SHORT, 1, Setting(1e-3))
    append(path, run(trial))
    assert read(path, {"gpt": FUNCTION}, {"python-docs": "f"}).of(trial)
    for functions, texts in (({"gpt": (5.5, 5.0, 4.5, 4.2)}, {}), ({}, {"python-docs": "g"})):
        ledger = read(path, functions, texts)
        assert ledger.of(trial) is None
        assert len(ledger.stale) == 1


def test_rounding_is_no_change_of_a_function() -> None:
    assert same_function(FUNCTION, (5.5001, 5.0, 4.5, 4.1))
    assert not same_function(FUNCTION, FUNCTION[:3])
