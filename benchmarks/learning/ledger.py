"""The results file: one JSON object a line, appended when a run is over. What is there is not run again."""

import os
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path

import msgspec

from benchmarks.learning.contenders import Setting

RESULTS = Path(__file__).parents[1] / "results" / "learning.jsonl"
TOLERANCE = 3e-4
"""Nats that a loss of a model's function may differ by and be rounding."""
NEAR = 0.03
"""How far apart two costs may be and still count as equal: what measuring again may differ by."""


@dataclass(frozen=True, slots=True)
class Trial:
    """One run of the study: what makes two runs the same run."""

    model: str
    corpus: str
    steps: int
    seed: int
    setting: Setting

    @property
    def name(self) -> str:
        """Unique, and fit for a file."""
        s = self.setting
        return f"{self.model}-{self.corpus}-{self.steps}-{self.seed}-{s.lr:g}-{s.beta2:g}-{s.warmup}"


class Made(msgspec.Struct, frozen=True, kw_only=True, tag_field="kind"):
    """What every line says of how it was made.

    Attributes:
        digest: of the code, see `benchmarks.learning.fingerprint`.
        commit: with a + where models or step were not as committed.
        kernels: `native` where compiled loops ran, which change the cost and not the function.
    """

    threads: int
    digest: str
    commit: str
    torch: str
    at: str
    kernels: str = "torch"


class Trained(Made, frozen=True, kw_only=True):
    """What every trained model says of itself.

    Attributes:
        val_ce: nats a byte; None where it diverged.
        cpu_s: process CPU time of the steps alone.
        function: see `benchmarks.learning.fingerprint`.
    """

    model: str
    steps: int
    seed: int
    lr: float
    parameters: int
    val_ce: float | None
    cpu_s: float
    function: tuple[float, ...]


class Run(Trained, frozen=True, kw_only=True, tag="run"):
    """What a finished run left.

    Attributes:
        bytes: trained on, repeats counted.
        fingerprint: of the tokens, see docs/data.md.
        val_tokens: `val_ce` is over so many, the first of validation.
        curve: bytes seen, and validation CE over a smaller part.
    """

    corpus: str
    fingerprint: str
    bytes: int
    beta2: float
    warmup: int
    val_tokens: int
    floors: dict[str, float]
    curve: list[tuple[int, float]]

    @property
    def setting(self) -> Setting:
        """What was chosen for it."""
        return Setting(self.lr, self.beta2, self.warmup)

    @property
    def trial(self) -> Trial:
        """What it was a run of."""
        return Trial(self.model, self.corpus, self.steps, self.seed, self.setting)


class Cost(Made, frozen=True, kw_only=True, tag="cost"):
    """Median process CPU time of a step of each model, all taking turns in one process.

    Attributes:
        ms: model -> milliseconds a step.
        ratio: model -> steps that it gets for one of the subject's.
    """

    ms: dict[str, float]
    ratio: dict[str, float]
    rounds: int

    def steps(self, name: str, ours: int) -> int:
        """How many steps a model gets for so many of the subject's."""
        return round(self.ratio[name] * ours)


class Recall(Trained, frozen=True, kw_only=True, tag="recall"):
    """What a model that was trained on recall text recalls.

    Attributes:
        accuracy: bindings -> distance in bytes -> share of recalls that were right.
        n: likewise, how many were asked.
        settings: every override of the run, the width and the length among them.
    """

    settings: list[str]
    batch: int
    context: int
    entropy_rate: float | None
    accuracy: dict[str, dict[str, float]]
    n: dict[str, dict[str, int]]
    chance: float


Line = Run | Cost | Recall
DECODER: msgspec.json.Decoder[Line] = msgspec.json.Decoder(Line)


@dataclass(frozen=True, slots=True)
class Ledger:
    """Everything that was measured, and what of it is of a model that is no more."""

    runs: tuple[Run, ...] = ()
    costs: tuple[Cost, ...] = ()
    recalls: tuple[Recall, ...] = ()
    stale: tuple[Line, ...] = ()
    _by_trial: dict[Trial, Run] = field(default_factory=dict)

    def of(self, trial: Trial) -> Run | None:
        """The run of a trial, if there is one."""
        return self._by_trial.get(trial)

    def near(self, trial: Trial) -> Run | None:
        """The run of a trial, or of one that is longer or shorter by at most `NEAR`, the nearest."""
        alike = [run for run in self.runs if replace(run.trial, steps=trial.steps) == trial]
        best = min(alike, key=lambda run: abs(run.steps - trial.steps), default=None)
        return best if best and abs(best.steps - trial.steps) <= NEAR * trial.steps else None

    def cost(self, digest: str = "", kernels: str = "") -> Cost | None:
        """The last cost that was measured with the code of `digest` and with `kernels`, or with any."""
        wanted = (
            one for one in reversed(self.costs) if digest in ("", one.digest) and kernels in ("", one.kernels)
        )
        return next(wanted, None)


def read(path: Path, functions: Mapping[str, tuple[float, ...]], fingerprints: Mapping[str, str]) -> Ledger:
    """The file as it stands; a line torn by a kill is skipped.

    Args:
        path: May be absent.
        functions: model -> what it computes today; lines of another function are stale.
        fingerprints: corpus -> its tokens today; lines of other tokens are stale.
    """
    runs: list[Run] = []
    costs: list[Cost] = []
    recalls: list[Recall] = []
    stale: list[Line] = []
    for line in lines_of(path):
        match line:
            case Cost():
                costs.append(line)
            case Run() if (
                is_current(line, functions)
                and fingerprints.get(line.corpus, line.fingerprint) == line.fingerprint
            ):
                runs.append(line)
            case Recall() if is_current(line, functions):
                recalls.append(line)
            case _:
                stale.append(line)
    return Ledger(tuple(runs), tuple(costs), tuple(recalls), tuple(stale), {run.trial: run for run in runs})


def is_current(line: Run | Recall, functions: Mapping[str, tuple[float, ...]]) -> bool:
    """Whether the model still computes what it computed then."""
    known = functions.get(line.model)
    return known is None or same_function(known, line.function)


def same_function(one: tuple[float, ...], other: tuple[float, ...]) -> bool:
    """Whether two models are the same but for rounding."""
    return len(one) == len(other) and all(abs(a - b) <= TOLERANCE for a, b in zip(one, other, strict=True))


def lines_of(path: Path) -> Iterable[Line]:
    """Every whole line of the file."""
    if not path.exists():
        return
    for raw in path.read_bytes().splitlines():
        try:
            yield DECODER.decode(raw)
        except msgspec.DecodeError:
            continue


def append(path: Path, line: Line) -> None:
    """Add one line in one write, on a line of its own even where a kill tore the last one."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("ab+") as file:
        end = file.seek(0, os.SEEK_END)
        file.seek(max(0, end - 1))
        torn = end > 0 and file.read(1) != b"\n"
        file.write(b"\n" * torn + msgspec.json.encode(line) + b"\n")
        file.flush()
        os.fsync(file.fileno())
