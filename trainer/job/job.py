"""What one attempt is to do, and with whom it talks. No torch here."""

from dataclasses import dataclass
from pathlib import Path

from trainer.config.resolve import Resolved
from trainer.config.schema import RunConfig
from trainer.job.outcome import Ledger
from trainer.job.rank import ALONE, Rank
from trainer.job.reporter import RunReporter
from trainer.job.stop import Stop
from trainer.run.checkpoints.manifest import Manifest
from trainer.run.layout import RunDir


@dataclass(frozen=True, slots=True, kw_only=True)
class Assignment:
    """What was asked for.

    Attributes:
        token: of this attempt under a supervisor; "" alone.
        source: the checkpoint to continue from: `newest`, a name in the run's folder or a path; "" for none.
        device: what the supervisor locked, in torch's words; `auto` alone.
        cache: where token caches lie; None for the state root of whoever trains alone.
        rank: which of several processes this is.
        parent: another run's checkpoint, where this run has none of its own yet; None: it begins at step 0.
    """

    run: RunDir
    attempt: int
    token: str
    name: str
    resolved: Resolved
    source: str
    device: str
    cache: Path | None
    rank: Rank = ALONE
    parent: Path | None = None

    @property
    def config(self) -> RunConfig:
        """The configuration."""
        return self.resolved.config


@dataclass(frozen=True, slots=True)
class Origin:
    """A verified checkpoint to continue from.

    Attributes:
        sha256: of its manifest's bytes.
        parent: how the next manifest names it: `step-NNNNNNNN`, or `RUN/step-NNNNNNNN` of another run.
    """

    path: Path
    manifest: Manifest
    sha256: str
    parent: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Job:
    """An assignment under way."""

    assignment: Assignment
    origin: Origin | None
    stop: Stop
    reporter: RunReporter
    ledger: Ledger
    threads: int
