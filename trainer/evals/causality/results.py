"""What the tests found in a model and in its untrained twin."""

from dataclasses import asdict, dataclass
from typing import Any

from trainer.evals.causality.correlation import Correlation
from trainer.evals.causality.intervention import Intervention
from trainer.evals.causality.memory import Memory
from trainer.evals.causality.order_dependence import Wiring
from trainer.evals.causality.reach import Reach
from trainer.evals.coherence import Agreement
from trainer.evals.plain_json import finite
from trainer.evals.scores import Scores


@dataclass(frozen=True, slots=True)
class Findings:
    """What was found in one model; `agreement` is None without oscillators."""

    scores: Scores
    memory: Memory
    reach: Reach
    wiring: Wiring
    intervention: Intervention
    correlation: Correlation
    agreement: Agreement | None = None

    @property
    def is_functional(self) -> bool:
        """Whether the three-test report passes: R varies, matters in itself, and goes with certainty.

        An R that is felt at its own token alone does not vary beyond that, whatever the variance says. And it
        matters only where it was learnt, that is where any other coherence costs: of untrained models a third
        would pass without that.
        """
        varies = self.correlation.varies and bool(self.reach.felt_in_order)
        matters = self.intervention.is_specific and self.intervention.is_at_its_best
        return varies and matters and self.correlation.holds


@dataclass(frozen=True, slots=True)
class CausalityReport:
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
        """Plain values, the sentences of each test among them; a number that is not finite is null."""
        words = {
            side: {
                "memory": found.memory.words,
                "reach": found.reach.words,
                "wiring": found.wiring.words,
                "intervention": found.intervention.words,
                "correlation": found.correlation.words,
                "coherence": found.agreement.words if found.agreement else "no oscillators",
                "functional": found.is_functional,
            }
            for side, found in (("trained", self.trained), ("untrained", self.untrained))
        }
        plain: dict[str, Any] = finite(asdict(self))
        return {**plain, "words": words, "control_fails": not self.untrained.is_functional}
