"""Everything that `photinus-train evaluate` says of one model: each number with its n and an interval."""

from collections.abc import Callable
from dataclasses import asdict, dataclass
from typing import Any

from trainer.evals.causality.intervention import Intervention, Sweep
from trainer.evals.coherence import OrderListener, Oscillation, URange, scattering
from trainer.evals.interventions.banks import group_of
from trainer.evals.interventions.document_scores import Windows, under
from trainer.evals.plain_json import finite
from trainer.evals.recall import BINDINGS, DISTANCES, Recalled, recall_curve
from trainer.evals.sampled_texts import Distinct, repetition
from trainer.evals.scores import FloorScorer, Scores, counting
from trainer.evals.sections import held_out
from trainer.evals.subject import Subject
from trainer.evals.u_changes import UChange, UChanges
from trainer.models import LanguageModel

Say = Callable[[str], None]


@dataclass(frozen=True, slots=True)
class EvaluationDepth:
    """How much is to be looked at.

    Attributes:
        documents: held-out documents at most; 0: all.
        texts: sampled texts a temperature. length: tokens of each.
    """

    documents: int = 60
    texts: int = 24
    length: int = 200
    seed: int = 0


@dataclass(frozen=True, slots=True)
class ModelEvaluation:
    """What was found; None and empty where a model lacks what a part is about, `absent` says why."""

    name: str
    kind: str
    step: int
    source: str
    documents: int
    tokens: int
    context: int
    scores: Scores
    entropy_rate: float | None
    oscillation: Oscillation | None
    sweep: Intervention
    u: URange | None
    u_changes: tuple[UChange, ...]
    texts: tuple[Distinct, ...]
    recall: tuple[Recalled, ...]
    absent: dict[str, str]

    def to_json(self) -> dict[str, Any]:
        """Plain values; a number that is not finite is null."""
        values: dict[str, Any] = finite(asdict(self))
        return values


def evaluate(subject: Subject, asked: EvaluationDepth, say: Say = lambda _: None) -> ModelEvaluation:
    """Evaluate a model on held-out documents.

    Raises:
        ValueError: fewer than 20 documents are held out.
    """
    config, model, corpus = subject.config, subject.model, subject.corpus
    group = held_out(corpus, asked.documents, config.context)
    windows = Windows.of(group, config.context, subject.device)
    floors = FloorScorer(corpus, group, windows.tokens_each(), counting(say))
    sweep, u_changes = Sweep(model, group_of(model), asked.seed), UChanges(model, asked.seed)
    parts = [sweep.changes(), scattering(model, asked.seed), u_changes.changes()]
    passes = 1 + sum(map(len, parts))
    listener = OrderListener(model, windows)
    base, done = under(
        model,
        windows,
        [change for part in parts for change in part],
        listener.hear,
        lambda at, total: say(f"scoring: {at} of {total} windows, {passes} passes over each"),
        listener.listening,
    )
    nudged, rest = done[: len(parts[0])], done[len(parts[0]) :]
    scattered, changed = rest[: len(parts[1])], rest[len(parts[1]) :]
    oscillation, u_range = listener.oscillation(base, scattered), listener.u_range()
    texts = repetition(
        model,
        subject.device,
        corpus.tokenizer,
        group,
        asked.texts,
        length_for(model, asked.length),
        asked.seed,
        lambda at, total: say(f"sampling: {at} of {total} tokens"),
    )
    say("recall")
    recalled, why_not = recall(subject, asked.seed)
    absent = {"recall": why_not} if why_not else {}
    if oscillation is None:
        absent |= {"oscillation": "no oscillators", "sweep": "no oscillators"}
    if not u_changes.changes():
        absent["u"] = "no u"
    return ModelEvaluation(
        name=subject.name,
        kind=config.model.kind,
        step=subject.step,
        source=config.data.source,
        documents=len(group),
        tokens=int(base.tokens.sum()),
        context=windows.inputs.shape[1],
        scores=floors.scores(base.nats),
        entropy_rate=corpus.entropy_rate,
        oscillation=oscillation,
        sweep=sweep.intervention(base, nudged),
        u=u_range,
        u_changes=u_changes.found(base, changed),
        texts=texts,
        recall=recalled,
        absent=absent,
    )


def recall(subject: Subject, seed: int) -> tuple[tuple[Recalled, ...], str]:
    """Probe a model that was trained on `recall`; else return why not."""
    data, model = subject.config.data, subject.model
    if data.source != "recall":
        return (), "the model was not trained on `recall`"
    if data.tokenizer != "byte":
        return (), "recall is asked of byte models"
    longest = min(subject.config.context, length_for(model, subject.config.context))
    found = []
    for bindings in BINDINGS:
        # A probe opens with its bindings, then `distance` bytes go by.
        fits = [one for one in DISTANCES if 2 * bindings + one < longest]
        found += recall_curve(model, bindings=(bindings,), distances=fits, pairs=data.recall_pairs, seed=seed)
    return tuple(found), "" if found else "the context is too short for any probe"


def length_for(model: LanguageModel[Any], length: int) -> int:
    """Return how many tokens may be generated behind a prompt: some models end where their positions do."""
    if model.config.is_bounded:
        return max(1, min(length, model.config.positions - 32))
    return length
