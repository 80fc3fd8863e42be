"""All of it for one model, its untrained twin beside it, and a verdict that claims no more than was shown."""

from dataclasses import asdict, dataclass
from typing import Any

import torch

from trainer.evals.causality.banks import banks_of
from trainer.evals.causality.correlation import Correlation, correlate
from trainer.evals.causality.intervention import Intervention, intervene
from trainer.evals.causality.reach import AT, FAR, Reach, reach
from trainer.evals.causality.scoring import Windows
from trainer.evals.causality.wiring import Wiring, wiring
from trainer.evals.sections import sections
from trainer.evals.subject import Subject
from trainer.models import LanguageModel

FEWEST = 20
LONGEST = 2049
"""Tokens read of each document: every one counts alike, and sixty take about two minutes on two cores."""


@dataclass(frozen=True, slots=True)
class Findings:
    """What was found in one model."""

    reach: Reach
    wiring: Wiring
    intervention: Intervention
    correlation: Correlation

    @property
    def is_functional(self) -> bool:
        """Whether the three-test report passes: R varies, matters in itself, and goes with certainty."""
        return self.correlation.varies and self.intervention.is_specific and self.correlation.holds

    @property
    def verdict(self) -> str:
        """One sentence."""
        mixing = "mixes its text" if self.reach.reaches else "does not mix its text"
        if not self.intervention.nudges:
            return f"The model {mixing}; it has no oscillators, so nothing is said of R."
        if self.is_functional:
            return f"The model {mixing}, and R is functional: it varies, goes with certainty, and matters."
        if self.intervention.has_none:
            return f"The model {mixing}; its R is a read-out that does nothing."
        if self.intervention.is_specific:
            return f"The model {mixing}; coherence matters in itself, but R does not go with certainty."
        if any(nudge.has_effect for nudge in self.intervention.nudges):
            return f"The model {mixing}; it needs its phases, but R is not special among them."
        return f"The model {mixing}; of R nothing is shown, neither an effect nor its absence."


@dataclass(frozen=True, slots=True)
class Report:
    """A model and its untrained twin on the same documents."""

    name: str
    kind: str
    step: int
    source: str
    documents: int
    tokens: int
    trained: Findings
    untrained: Findings

    def to_json(self) -> dict[str, Any]:
        """Plain values, the sentences among them."""
        told = {
            side: {
                "reach": found.reach.words,
                "wiring": found.wiring.words,
                "intervention": found.intervention.words,
                "correlation": found.correlation.words,
                "verdict": found.verdict,
                "functional": found.is_functional,
            }
            for side, found in (("trained", self.trained), ("untrained", self.untrained))
        }
        return {**asdict(self), "words": told, "control_fails": not self.untrained.is_functional}


def causality(subject: Subject, documents: int = 0, seed: int = 0) -> Report:
    """Examine a trained model and its untrained twin.

    Args:
        documents: at most so many held-out documents; 0: all.

    Raises:
        ValueError: fewer than 20 documents are held out.
    """
    group = sections(subject.corpus, documents, LONGEST)
    if len(group) < FEWEST:
        raise ValueError(
            f"only {len(group)} documents are held out and {FEWEST} are needed; "
            "use more text, or a larger data.val_fraction"
        )
    windows = Windows.of(group, subject.config.context, subject.device)
    return Report(
        name=subject.name,
        kind=subject.config.model.kind,
        step=subject.step,
        source=subject.config.data.source,
        documents=len(group),
        tokens=int(windows.tokens_each().sum()),
        trained=examine(subject.model, subject, windows, seed),
        untrained=examine(subject.untrained(), subject, windows, seed),
    )


def examine(model: LanguageModel[Any], subject: Subject, windows: Windows, seed: int) -> Findings:
    """Run every test on one model."""
    length = min(AT + 3 * FAR, len(subject.corpus.val))
    text = torch.from_numpy(subject.corpus.val[:length].astype("int64")).to(subject.device.place)
    config = subject.config.model
    group = config.group if len(banks_of(model)) else 1
    return Findings(
        reach=reach(model, text, subject.corpus.vocab_size),
        wiring=wiring(model, windows, subject.corpus.floors.unigram),
        intervention=intervene(model, windows, group, seed),
        correlation=correlate(model, windows, seed),
    )
