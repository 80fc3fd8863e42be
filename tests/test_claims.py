"""One line a claim: what counts as a trial, and what as a failure."""

from typing import Any, Literal

import pytest

from tests.claims import Score, score


def report(
    claim: str, outcome: Literal["passed", "failed", "skipped"], when: Any = "call", **told: Any
) -> Any:
    properties: list[tuple[str, object]] = [("claim", claim), *told.items()]
    return pytest.TestReport("t", ("t", 1, "t"), {}, outcome, None, when, user_properties=properties)


def test_trials_failures_and_skips_are_counted_by_claim() -> None:
    scores = score(
        [
            report("races", "passed", trials=20),
            report("races", "passed", "setup"),
            report("races", "failed", trials=3),
            report("races", "failed", "teardown"),
            report("silence", "passed", figure="median 1.2 s"),
            report("reuse", "skipped", "setup"),
        ]
    )
    assert scores == {
        "races": Score(trials=23, failures=2),
        "silence": Score(trials=1, figures=("median 1.2 s",)),
        "reuse": Score(skipped=1),
    }
    assert scores["silence"].line.split() == ["1", "0", "median", "1.2", "s"]
    assert "could not be tried" in scores["reuse"].line


def test_what_claims_nothing_is_not_counted() -> None:
    nameless = pytest.TestReport("t", ("t", 1, "t"), {}, "failed", None, "call")
    assert score([nameless]) == {}
