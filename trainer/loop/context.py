"""A run under way: what the loop, its reports and its checkpoints share."""

from dataclasses import dataclass, field

from trainer.config.schema import RunConfig
from trainer.data import Corpus
from trainer.data.scored import BatchSource
from trainer.device.device import Device
from trainer.device.operators import Fallbacks
from trainer.evals.probes.decay_prediction import DecayPrediction
from trainer.evals.scored_text import ScoredText
from trainer.job.job import Job
from trainer.loop.background_save import BackgroundWriter
from trainer.loop.timing import Accounting, SpeedOfLight
from trainer.mirror.mirror_copier import MirrorCopier
from trainer.step.metrics import StepMeter
from trainer.step.state import TrainState
from trainer.step.world import World


@dataclass(slots=True)
class Training:
    """A run under way: what changes is in `state`, the rest stays as it is.

    Attributes:
        looks: whether it looks into its oscillators now and then; it gives up where memory does not suffice.
        prediction: of R, where weight decay makes one.
        fallbacks: operators that the device lacks, as they come up.
        speed: what a token takes, and how fast the device could be.
        trace: of the step that was just done, gzipped, where it was asked for; its checkpoint takes it along.
        writer: of checkpoints while training goes on.
        mirror: where they are copied to, if anywhere.
        eval_rows: sequences scored at a time, where memory holds fewer than training's; 0: as many.
    """

    job: Job
    config: RunConfig
    device: Device
    corpus: Corpus
    scored: ScoredText
    batches: BatchSource
    state: TrainState
    meter: StepMeter
    clock: Accounting
    world: World
    looks: bool = False
    prediction: DecayPrediction | None = None
    eval_rows: int = 0
    speed: SpeedOfLight | None = None
    trace: bytes = b""
    fallbacks: Fallbacks = field(default_factory=Fallbacks)
    writer: BackgroundWriter = field(default_factory=BackgroundWriter)
    mirror: MirrorCopier | None = None


def is_last(run: Training) -> bool:
    """Whether every planned step is done."""
    return run.state.step == run.config.steps


def is_due(run: Training, every: int) -> bool:
    """Whether something that happens every so many steps (0: never) and at the end happens now."""
    return is_last(run) or (every > 0 and run.state.step % every == 0)
