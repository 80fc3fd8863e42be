"""What a suite says at its end of kernels left out, and `make chaos` of claims: trials and failures of each.

`@pytest.mark.claim("what must hold")` names it; a trial test without a name is called by its function. A test
counts as one trial unless it says more: `record_property("trials", n)`.
"""

import os
from collections.abc import Iterable
from dataclasses import dataclass

import pytest

CLAIM, TRIALS, FIGURE = "claim", "trials", "figure"


@dataclass(slots=True)
class Score:
    """How often a claim was tried, and how it went; `figures` are what the tests measured besides."""

    trials: int = 0
    failures: int = 0
    skipped: int = 0
    figures: tuple[str, ...] = ()

    @property
    def line(self) -> str:
        """`trials  failures`, and what else there is to say."""
        notes = [*self.figures, *([f"{self.skipped} could not be tried here"] if self.skipped else [])]
        return f"{self.trials:>7} {self.failures:>9}" + (f"  {'; '.join(notes)}" if notes else "")


def pytest_configure(config: pytest.Config) -> None:
    config.addinivalue_line("markers", "claim(text): what must hold, as `make chaos` prints it")


def pytest_collection_modifyitems(items: Iterable[pytest.Item]) -> None:
    for item in items:
        if item.get_closest_marker("chaos") is None:
            continue
        mark = item.get_closest_marker("claim")
        name = getattr(item, "originalname", item.name).removeprefix("test_").replace("_", " ")
        item.user_properties.append((CLAIM, str(mark.args[0]) if mark else name))


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    skipped = terminalreporter.stats.get("skipped", ())
    kernels = sum(report.nodeid.startswith("tests/kernels/") for report in skipped)
    if kernels:
        terminalreporter.write_line(
            f"{kernels} tests of Triton kernels were left out: `make kernels` runs them"
        )
    if os.environ.get("PHOTINUS_TRIALS") != "full":
        return
    reports = [
        report
        for kind in ("passed", "failed", "error", "skipped")
        for report in terminalreporter.stats.get(kind, ())
        if isinstance(report, pytest.TestReport)
    ]
    scores = score(reports)
    if not scores:
        return
    terminalreporter.section("claims")
    terminalreporter.write_line(f"{'trials':>7} {'failures':>9}  claim")
    for claim, made in sorted(scores.items()):
        terminalreporter.write_line(f"{made.line[:17]}  {claim}{made.line[17:]}")


def score(reports: Iterable[pytest.TestReport]) -> dict[str, Score]:
    """The scores by claim. A test that failed in its set-up or its clean-up failed its claim too."""
    scores: dict[str, Score] = {}
    for report in reports:
        told = dict(report.user_properties)
        if CLAIM not in told or (report.passed and report.when != "call"):
            continue
        made = scores.setdefault(str(told[CLAIM]), Score())
        if report.skipped:
            made.skipped += 1
            continue
        if report.when == "call":
            made.trials += int(str(told.get(TRIALS, 1)))
        made.failures += report.failed
        if FIGURE in told:
            made.figures += (str(told[FIGURE]),)
    return scores
