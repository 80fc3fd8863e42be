"""What a run says: one JSON object a line in `events.jsonl`, parsed once into frozen values.

Every line has `type`, `seq` (strictly growing within a run), `attempt`, `t` (Unix seconds) and, where it
applies, `step`. Whole numbers are at least 0 and at most 2^53; a line with another one is malformed. The
other keys lie flat beside them. A non-finite number is written as null and its key is named in `nonfinite`.
A resume supersedes earlier rows past the step that it resumed from.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Annotated, TypeAlias

from msgspec import Meta

COUNT_MAX = 1 << 53  # what every reader of JSON holds exactly
TIME_MAX = 253_402_300_799.0  # the end of the year 9999

Number: TypeAlias = float | None
Count: TypeAlias = Annotated[int, Meta(ge=0, le=COUNT_MAX)]
Moment: TypeAlias = Annotated[float, Meta(ge=0.0, le=TIME_MAX)]


@dataclass(frozen=True, slots=True, kw_only=True)
class Envelope:
    """What every event carries."""

    seq: Count
    attempt: Count
    t: Moment = 0.0
    step: Count | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Hello(Envelope):
    """First words of an attempt: before torch is imported."""

    name: str
    preset: str
    max_steps: Count
    device: str
    pid: Count


@dataclass(frozen=True, slots=True, kw_only=True)
class Metrics(Envelope):
    """A row of training metrics.

    Names used by charts and lamps: `total ce reg R coherence u_val u_low u_high grad_norm lr tokens
    tokens_per_s step_ms eta_s overhead R_predicted`; others are kept and charted too. `u_stat` says whether
    `u_val` is the median or the mean.
    """

    values: Mapping[str, Number]
    nonfinite: tuple[str, ...] = ()
    u_stat: str = "median"


@dataclass(frozen=True, slots=True, kw_only=True)
class Evaluation(Envelope):
    """Held-out scores: `val_ce`, `val_ppl` and whatever else was measured."""

    values: Mapping[str, Number]
    nonfinite: tuple[str, ...] = ()
    best: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Probe(Envelope):
    """A look into the model: what the whole bank tells in `values`, and a number a layer in `layers`.

    Names in `values`: `warfare_ratio warfare_cosine u_shuffled z det`; in `layers`: `R coherence u u_low
    u_high z det det_low warfare_ratio warfare_cosine`, the first layer first. What a model does not have is
    absent; null among the layers is a number that is not finite.
    """

    values: Mapping[str, Number]
    layers: Mapping[str, tuple[Number, ...]] = field(default_factory=dict)
    nonfinite: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Sample(Envelope):
    """Generated text, with R a token where the model gives it."""

    text: str
    prompt: str = ""
    R: tuple[Number, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Checkpoint(Envelope):
    """A checkpoint proven on disk. `path` is relative to the run directory; `sha256` is of its manifest."""

    path: str
    sha256: str
    kind: str
    bytes: Count = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Phase(Envelope):
    """What the attempt is doing: type `state`.

    `phase` is one of loading, tokenising, compiling, probing, training, evaluating, saving, sampling,
    stopping, paused (by a full disk or an operator), waiting (for a file to train), finished, failed.
    `done` and `total` drive a progress bar; 0 is unknown.
    """

    phase: str
    detail: str = ""
    done: Count = 0
    total: Count = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Floors(Envelope):
    """N-gram cross-entropies of the data, nats a token; and the entropy rate where it is known."""

    unigram: float
    bigram: float
    trigram: float
    entropy_rate: float | None = None
    fingerprint: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Resume(Envelope):
    """This attempt continues from `step`: earlier rows past it are superseded."""

    checkpoint: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class StepBack(Envelope):
    """The run found itself in trouble and goes on from `step`; a `resume` of that step stands beside it.

    Since November 2026; runs of before tell it by the resume and by notes alone.

    Attributes:
        found: the step at which the trouble was found. reason: a sentence.
        checkpoint: the good one that it went back to; "" for the beginning.
        times: which step back this is, of at most `most`.
        left_out: batches that are left out, in all.
        rate: what the rate is multiplied by at `found`, until step `until`; 0: to the end.
    """

    found: Count
    reason: str
    checkpoint: str = ""
    times: Count = 1
    most: Count = 0
    left_out: Count = 0
    rate: float = 1.0
    until: Count = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Note(Envelope):
    """A sentence for the operator. `level` is info, warning or error."""

    level: str
    message: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Unknown(Envelope):
    """An event type of a later version: kept, not understood."""

    type: str
    data: Mapping[str, object] = field(default_factory=dict)


Event: TypeAlias = (
    Hello
    | Metrics
    | Evaluation
    | Probe
    | Sample
    | Checkpoint
    | Phase
    | Floors
    | Resume
    | StepBack
    | Note
    | Unknown
)

TYPE_NAMES: dict[type, str] = {
    Hello: "hello",
    Metrics: "metrics",
    Evaluation: "eval",
    Probe: "probe",
    Sample: "sample",
    Checkpoint: "checkpoint",
    Phase: "state",
    Floors: "floors",
    Resume: "resume",
    StepBack: "step_back",
    Note: "note",
}
