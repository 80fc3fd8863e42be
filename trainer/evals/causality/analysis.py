"""All of it for one model, its untrained twin beside it, and a verdict that claims no more than was shown."""

from collections.abc import Callable
from dataclasses import asdict, dataclass
from typing import Any

import torch

from trainer.evals.causality.conclusions import verdict
from trainer.evals.causality.correlation import Correlation, Listener, correlate
from trainer.evals.causality.intervention import Intervention, Sweep
from trainer.evals.causality.memory import Memory, memory
from trainer.evals.causality.order_dependence import Blinding, Wiring
from trainer.evals.causality.reach import BEHIND, PLACES, Reach, reach
from trainer.evals.coherence import Agreement, agreement, scattering
from trainer.evals.interventions.banks import group_of
from trainer.evals.interventions.document_scores import Windows, under
from trainer.evals.plain_json import finite
from trainer.evals.scores import FloorScorer, Scores, counting
from trainer.evals.sections import held_out
from trainer.evals.subject import Subject
from trainer.models import LanguageModel
from trainer.models.published import PublishedV2, PublishedV3

Say = Callable[[str], None]


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

    @property
    def verdict(self) -> str:
        """What was shown, in a few sentences."""
        return verdict(self)

    def to_json(self) -> dict[str, Any]:
        """Plain values, the sentences among them; a number that is not finite is null."""
        told = {
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
        said = {"verdict": self.verdict, "control_fails": not self.untrained.is_functional}
        return {**plain, "words": told, **said}


def causality(subject: Subject, documents: int = 0, seed: int = 0, say: Say = lambda _: None) -> Report:
    """Examine a trained model and its untrained twin.

    Args:
        documents: at most so many held-out documents; 0: all.
        say: told what is being done.

    Raises:
        ValueError: fewer than 20 documents are held out, or none is as long as the tests need.
    """
    context = subject.config.context
    group = held_out(subject.corpus, documents, context)
    windows = Windows.of(group, context, subject.device)
    floors = FloorScorer(subject.corpus, group, windows.tokens_each(), counting(say))
    return Report(
        name=subject.name,
        kind=subject.config.model.kind,
        step=subject.step,
        source=subject.config.data.source,
        documents=len(group),
        tokens=int(windows.tokens_each().sum()),
        trained=examine(subject.model, subject, windows, floors, seed, lambda what: say(f"trained: {what}")),
        untrained=examine(
            subject.untrained(), subject, windows, floors, seed, lambda what: say(f"untrained twin: {what}")
        ),
    )


def examine(
    model: LanguageModel[Any],
    subject: Subject,
    windows: Windows,
    floors: FloorScorer,
    seed: int,
    say: Say = lambda _: None,
) -> Findings:
    """Run every test on one model; its text is scored once as it is, and once under each change."""
    say("reach")
    reached = reach(model, text_for(model, subject), subject.corpus.vocab_size)
    sweep, blinding, listener = Sweep(model, group_of(model), seed), Blinding(model, windows), Listener()
    parts = (sweep.changes(), blinding.changes(), scattering(model, seed))
    changes = [change for part in parts for change in part]

    def tell(done: int, total: int) -> None:
        say(f"{1 + len(changes)} passes, {done} of {total} windows")

    base, changed = under(model, windows, changes, listener.hear, tell)
    done = iter(changed)
    nudged, blinded, scattered = ([next(done) for _ in part] for part in parts)
    say("correlation")
    return Findings(
        scores=floors.scores(base.nats),
        memory=memory(model),
        reach=reached,
        wiring=blinding.wiring(base, blinded, floors.unigram),
        intervention=sweep.intervention(base, nudged),
        correlation=correlate(listener.readings(windows), seed),
        agreement=agreement(base, scattered),
    )


def text_for(model: LanguageModel[Any], subject: Subject) -> torch.Tensor:
    """Return held-out tokens `[T]` for the test of reach, as many as this model has positions for.

    Raises:
        ValueError: there are too few.
    """
    longest = PLACES[-1] + BEHIND
    if isinstance(model, PublishedV2 | PublishedV3):
        longest = min(longest, model.config.positions)
    text = subject.corpus.val[:longest]
    if len(text) <= PLACES[-1] + 1:
        raise ValueError(
            f"the test of reach needs {PLACES[-1] + 2} tokens, and this model and text allow {len(text)}; "
            "use more text, or a model with more positions"
        )
    return torch.from_numpy(text.astype("int64")).to(subject.device.place)
