"""The verdict tells the kinds apart, and claims no more than was found."""

from dataclasses import replace

import pytest

from trainer.evals.bootstrap import Interval
from trainer.evals.causality import conclusions
from trainer.evals.causality.correlation import Correlation
from trainer.evals.causality.intervention import Intervention, Nudge
from trainer.evals.causality.memory import Memory
from trainer.evals.causality.order_dependence import Wiring
from trainer.evals.causality.reach import Reach
from trainer.evals.causality.results import CausalityReport, Findings
from trainer.evals.coherence import Agreement
from trainer.evals.scores import FloorScore, Scores


def near(value: float) -> Interval:
    return Interval(value, value - 1e-5, value + 1e-5, 60)


def nudge(delta: float, by_chance: float, scale: float) -> Nudge:
    return Nudge(scale, 0.9, 0.6, near(delta), near(0.0), near(by_chance), near(0.0), near(delta / by_chance))


def swept(delta: float, by_chance: float, more: float | None = None) -> Intervention:
    """Deviations made smaller change CE by `delta`, larger by `more`, which is the same unless given."""
    larger = nudge(delta if more is None else more, by_chance, 1.1)
    return Intervention(0.6, (nudge(delta, by_chance, 0.9), larger))


def scored(ce: float) -> Scores:
    floors = tuple(
        FloorScore(name, near(floor), near(floor - ce))
        for name, floor in (("unigram", 3.3), ("bigram", 2.6), ("trigram", 2.0))
    )
    return Scores(near(ce), near(0.0), near(0.0), floors)


KSSM = Findings(
    scored(1.9),
    Memory(2048, 2048),
    Reach(0.0, 1.0, 1.0, 205, 205, 205),
    Wiring(True, 3.4, 3.3),
    swept(0.2, 0.05),
    Correlation(-0.2, 1e-6, 60, 0.05, 0.6, 2),
)
NONE = Correlation(float("nan"), 1.0, 0, float("nan"), 0.0, 0)
GATED = replace(KSSM, wiring=Wiring(None), intervention=Intervention(0.0, ()), correlation=NONE)
GPT = replace(GATED, memory=Memory(8192, 24576))
BOLTED = replace(GPT, intervention=swept(1e-6, 1e-6), correlation=KSSM.correlation)
ORIGINAL = replace(
    KSSM, scores=scored(2.7), memory=Memory(0, 0), reach=Reach(0.0, 1.0, 0.0, 0, 205, 0), wiring=Wiring(False)
)
UNTRAINED = replace(KSSM, scores=scored(5.5), intervention=swept(1e-5, 1e-5))
KINDS = {
    "kssm": KSSM,
    "gated": GATED,
    "gpt": GPT,
    "bolted": BOLTED,
    "original": ORIGINAL,
    "untrained": UNTRAINED,
}


def verdict(found: Findings, untrained: Findings = UNTRAINED) -> str:
    return conclusions.verdict(CausalityReport("a/step", "kind", 1, "text", 60, 1000, found, untrained))


def test_no_two_kinds_have_the_same_verdict() -> None:
    assert len({verdict(found) for found in KINDS.values()}) == len(KINDS)


@pytest.mark.parametrize(
    ("kind", "said"),
    [
        ("kssm", "passes the three-test report"),
        ("kssm", "that coherence or coupling helps is not shown by that"),
        ("gated", "in a state of constant size"),
        ("gated", "of R nothing can be said"),
        ("gpt", "as attention does"),
        ("bolted", "can be read and does nothing"),
        ("original", "position-wise"),
        ("original", "less than counting pairs"),
        ("original", "does not pass the three-test report"),
        ("untrained", "has not learnt what counting single tokens gives"),
        ("untrained", "does nothing"),
    ],
)
def test_what_is_said_of_each(kind: str, said: str) -> None:
    assert said in verdict(KINDS[kind])


def test_only_what_was_found_is_functional() -> None:
    assert [kind for kind, found in KINDS.items() if found.is_functional] == ["kssm"]
    assert not replace(KSSM, correlation=replace(KSSM.correlation, nulls_passed=7)).is_functional
    assert not replace(KSSM, intervention=swept(0.2, 0.2)).is_functional


def test_coherence_that_moves_ce_up_on_one_side_and_down_on_the_other_was_not_learnt() -> None:
    """An untrained model stands on a slope, a trained one where every change costs."""
    slope = replace(KSSM, intervention=swept(0.2, 0.05, more=-0.2))
    assert slope.intervention.is_specific
    assert not slope.is_functional
    assert "though a little more of it, or a little less, is not certainly for the worse" in verdict(slope)
    assert "for the worse" not in verdict(replace(KSSM, correlation=NONE))


def test_a_test_that_an_untrained_model_passes_says_nothing() -> None:
    assert "UNTRAINED TWIN PASSES TOO" in verdict(KSSM, untrained=KSSM)


@pytest.mark.parametrize(
    ("beyond", "said"),
    [
        (Interval(0.005, 0.001, 0.009, 60), "about as coherent as random phases"),
        (Interval(0.3, 0.2, 0.4, 60), "more coherent than random phases"),
        (Interval(-0.3, -0.4, -0.2, 60), "less coherent than random phases"),
        (Interval(0.1, -0.2, 0.4, 60), "Whether its groups are more coherent than random phases"),
    ],
)
def test_coherence_is_told_beside_chance(beyond: Interval, said: str) -> None:
    found = replace(KSSM, agreement=Agreement(near(0.6), near(0.6), beyond, (beyond,)))
    assert f"{said} would be" in verdict(found)
    assert f"(C - C0)/(1 - C0) = {beyond.value:+.3f}" in verdict(found)
    assert "random phases would be" not in verdict(GPT)
