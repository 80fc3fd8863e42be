"""All of it for one model, its untrained twin beside it, and a verdict that claims no more than was shown."""

from collections.abc import Callable
from typing import Any

import torch

from trainer.evals.causality.correlation import Listener, correlate
from trainer.evals.causality.intervention import Sweep
from trainer.evals.causality.memory import memory
from trainer.evals.causality.order_dependence import Blinding
from trainer.evals.causality.reach import BEHIND, PLACES, reach
from trainer.evals.causality.results import CausalityReport, Findings
from trainer.evals.coherence import agreement, scattering
from trainer.evals.interventions.banks import group_of
from trainer.evals.interventions.document_scores import Windows, under
from trainer.evals.scores import FloorScorer, counting
from trainer.evals.sections import held_out
from trainer.evals.subject import Subject
from trainer.models import LanguageModel

Say = Callable[[str], None]


def causality(
    subject: Subject, documents: int = 0, seed: int = 0, say: Say = lambda _: None
) -> CausalityReport:
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
    return CausalityReport(
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
    if model.config.is_bounded:
        longest = min(longest, model.config.positions)
    text = subject.corpus.val[:longest]
    if len(text) <= PLACES[-1] + 1:
        raise ValueError(
            f"the test of reach needs {PLACES[-1] + 2} tokens, and this model and text allow {len(text)}; "
            "use more text, or a model with more positions"
        )
    return torch.from_numpy(text.astype("int64")).to(subject.device.place)
