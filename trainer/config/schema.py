"""Everything a run can be told, as one typed tree. No torch here: the cockpit's start form is made from it.

Unknown keys are errors (`forbid_unknown_fields`), bounds and help texts stand beside each field, and the
same structures are decoded from a preset, a user's file, `--set` overrides and a run's stored configuration.
"""

from typing import Annotated, Literal

from msgspec import Meta, Struct, field

from trainer.config.data import DataConfig
from trainer.config.model import ModelConfig
from trainer.config.parallel import ParallelConfig, process_count

PositiveInt = Annotated[int, Meta(ge=1)]


class OptimConfig(Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """The optimizer, and its rate over the steps."""

    name: Annotated[
        Literal["adamw", "muon"],
        Meta(description="adamw; muon: orthogonalised momentum for matrices of blocks, AdamW for the rest"),
    ] = "adamw"
    schedule: Annotated[
        Literal["cosine", "linear", "constant", "wsd"],
        Meta(description="what follows the warm-up; wsd: constant, then linear over the last `decay` of it"),
    ] = "cosine"
    decay: Annotated[
        float, Meta(gt=0, le=1, description="share of the horizon over which wsd falls to its floor")
    ] = 0.2
    ema: Annotated[
        float, Meta(ge=0, lt=1, description="decay a step of averaged weights, kept in checkpoints; 0: none")
    ] = 0.0
    lr: Annotated[float, Meta(gt=0, le=1, description="peak learning rate")] = 3e-3
    min_lr_ratio: Annotated[float, Meta(ge=0, le=1, description="final rate as a share of the peak")] = 0.1
    warmup: Annotated[int, Meta(ge=0, description="steps of linear warm-up")] = 50
    horizon: Annotated[
        int,
        Meta(ge=0, description="steps that the schedule spans; 0: the `steps` that the run began with"),
    ] = 0
    weight_decay: Annotated[float, Meta(ge=0, le=10, description="AdamW decay of matrices")] = 0.1
    decay_omega: Annotated[bool, Meta(description="decay omega_0 too, as the published v3 did")] = False
    beta1: Annotated[float, Meta(ge=0, lt=1, description="AdamW first-moment decay")] = 0.9
    beta2: Annotated[float, Meta(ge=0, lt=1, description="AdamW second-moment decay")] = 0.95
    clip: Annotated[float, Meta(ge=0, description="gradient-norm limit; 0 is off")] = 1.0
    amp: Annotated[
        Literal["auto", "off", "bf16", "fp16"],
        Meta(
            description="autocast: auto takes bf16 where a probe finds it right and, "
            "but on GPUs with bf16 units, faster; fp16 with loss scaling"
        ),
    ] = "auto"
    tf32: Annotated[bool, Meta(description="multiply float32 in TF32 on CUDA")] = True


class CheckpointConfig(Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """When a checkpoint is written and which are kept."""

    every: Annotated[int, Meta(ge=0, description="steps between checkpoints; 0: only at the end")] = 200
    keep_last: Annotated[int, Meta(ge=1, description="newest checkpoints kept")] = 3
    keep_best: Annotated[int, Meta(ge=0, description="best checkpoints kept, by validation CE")] = 1
    min_improvement: Annotated[
        float,
        Meta(
            ge=0,
            le=1,
            description="share by which validation CE must fall below the best that was saved in this "
            "lineage, for a checkpoint between the regular ones",
        ),
    ] = 0.0
    keep_every: Annotated[
        int, Meta(ge=0, description="checkpoints at steps divisible by this are kept, too; 0 is off")
    ] = 0
    max_gb: Annotated[
        float, Meta(ge=0, description="GB of checkpoints above which the oldest go; 0: no limit")
    ] = 0.0
    background: Annotated[
        bool, Meta(description="write periodic and best checkpoints while training goes on, one at a time")
    ] = True
    trash_gb: Annotated[
        float, Meta(ge=0, description="GB of let-go checkpoints that stay in the run's trash, for 7 days")
    ] = 1.0
    disk_wait: Annotated[
        float, Meta(ge=0, description="hours that a run waits where the disk is full; 0: it fails at once")
    ] = 24.0
    mirror: Annotated[
        str,
        Meta(
            max_length=1024,
            description="where proven checkpoints are copied: a folder, HOST:PATH, s3://BUCKET/PATH; one "
            "folder a run below it",
        ),
    ] = ""
    pins: Annotated[
        str,
        Meta(pattern=r"^(\d+(,\d+)*)?$", description="steps whose checkpoints are never removed: 500,1000"),
    ] = ""


class EvalConfig(Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """When the model is scored on held-out text, and how much of it."""

    every: Annotated[int, Meta(ge=0, description="steps between evaluations; 0: only at the end")] = 100
    tokens: Annotated[int, Meta(ge=1, description="validation tokens scored")] = 32768
    sample_tokens: Annotated[int, Meta(ge=0, description="tokens sampled after an evaluation; 0 is off")] = (
        120
    )
    prompt: Annotated[str, Meta(description="what the sample continues")] = "The "
    temperature: Annotated[float, Meta(gt=0, le=10, description="sampling temperature")] = 0.8


class LogConfig(Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """How often the run speaks."""

    every: Annotated[
        int, Meta(ge=1, description="steps between metric rows; the first step always speaks")
    ] = 5
    max_mib: Annotated[
        float, Meta(gt=0, description="MiB of raw log after which a supervised run goes on in a further file")
    ] = 64.0

    @property
    def max_bytes(self) -> int:
        """`max_mib` in bytes."""
        return int(self.max_mib * (1 << 20))


class ProbeConfig(Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """How often the run looks into its model."""

    every: Annotated[
        int,
        Meta(ge=0, description="steps between looks into the oscillators and their gradients; 0 is off"),
    ] = 200


class ProfileConfig(Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """A look at where one step's time goes."""

    at: Annotated[
        int,
        Meta(
            ge=0,
            description="step whose operators are traced; the trace lies in a checkpoint of that step, which "
            "is kept; 0: none",
        ),
    ] = 0


class GuardConfig(Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """How a run defends itself. A step whose loss or gradient is not finite is always skipped."""

    skips: Annotated[
        int, Meta(ge=1, description="skipped steps in a row after which the run steps back, or has failed")
    ] = 4
    rollbacks: Annotated[
        int,
        Meta(
            ge=0,
            le=1000,
            description="times that a run in trouble steps back to its last good checkpoint, leaves the "
            "batches at fault out and lowers the rate for a while; 0: never",
        ),
    ] = 10
    window: Annotated[
        int, Meta(ge=32, le=4096, description="steps whose losses and gradients tell what is usual")
    ] = 64
    spike: Annotated[
        float,
        Meta(
            ge=0,
            description="robust standard deviations above the median of the window that make a spike; 0: off",
        ),
    ] = 12.0
    rise: Annotated[
        float,
        Meta(
            ge=0,
            description="share by which the loss has risen, in the median, if it jumps or diverges; 0: off",
        ),
    ] = 0.2
    val_rise: Annotated[
        float,
        Meta(
            ge=0,
            description="share by which validation CE is above its lowest, twice, if it diverges while the "
            "training loss rises; 0: off",
        ),
    ] = 0.2
    lower: Annotated[
        float,
        Meta(gt=0, lt=1, description="the rate's factor after a step back; lower^3, lower^6 ... after more"),
    ] = 0.8
    restart: Annotated[
        float,
        Meta(
            ge=0,
            lt=1,
            description="the rate's factor, to the end, of a run that begins again because its rate was too "
            "high since the first step; 0: off",
        ),
    ] = 0.1
    calm: Annotated[
        int, Meta(ge=1, description="steps for which the rate stays lowered; then it comes back in notches")
    ] = 25
    patience: Annotated[
        int,
        Meta(ge=0, description="evaluations without a better validation CE after which the run ends; 0: off"),
    ] = 0
    plateau: Annotated[
        int,
        Meta(ge=0, description="evaluations without a better one after which the rate is lowered; 0: off"),
    ] = 0


class RunConfig(Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """One run, whole."""

    model: ModelConfig = field(default_factory=ModelConfig)
    data: DataConfig = field(default_factory=DataConfig)
    optim: OptimConfig = field(default_factory=OptimConfig)
    checkpoint: CheckpointConfig = field(default_factory=CheckpointConfig)
    eval: EvalConfig = field(default_factory=EvalConfig)
    log: LogConfig = field(default_factory=LogConfig)
    probe: ProbeConfig = field(default_factory=ProbeConfig)
    profile: ProfileConfig = field(default_factory=ProfileConfig)
    guard: GuardConfig = field(default_factory=GuardConfig)
    parallel: ParallelConfig = field(default_factory=ParallelConfig)
    steps: Annotated[int, Meta(ge=1, description="optimizer steps in all")] = 3000
    batch: Annotated[int, Meta(ge=1, description="sequences a step")] = 8
    micro_batch: Annotated[
        int, Meta(ge=0, description="sequences a forward pass (gradients accumulate); 0: the whole batch")
    ] = 0
    context: Annotated[int, Meta(ge=8, le=65536, description="tokens a sequence")] = 256
    seed: Annotated[int, Meta(ge=0, description="seed of weights, data order and samples")] = 1234
    kernels: Annotated[
        Literal["auto", "native", "torch"],
        Meta(
            description="inner loops of oscillators: native (C++ compiled on the host, Triton on CUDA, "
            "Metal on a Mac) or torch; auto: native where it works"
        ),
    ] = "auto"
    deterministic: Annotated[
        Literal["off", "on"],
        Meta(description="have torch take algorithms that give the same bits each time, be they slower"),
    ] = "off"
    recompute: Annotated[
        bool, Meta(description="work the blocks again in the backward pass: less memory, a third more time")
    ] = False
    init_from: Annotated[
        str,
        Meta(
            description="a checkpoint whose weights the run begins with; its steps, rate and moments are new"
        ),
    ] = ""
    compile: Annotated[
        Literal["off", "on"],
        Meta(description="torch.compile of the training step; takes a minute or more before the first step"),
    ] = "off"
    device: Annotated[
        str,
        Meta(
            pattern=r"^(auto|cpu|mps|cuda(:\d+)?|cuda:\d+(,cuda:\d+)+)$",
            description="auto, cpu, mps, cuda, cuda:N, or several: cuda:0,cuda:1",
        ),
    ] = "auto"
    threads: Annotated[
        int, Meta(ge=0, description="CPU threads of a process; 0: its share of what the cgroup grants")
    ] = 0

    def __post_init__(self) -> None:
        if self.data.reset == "document" and not self.model.can_reset:
            raise ValueError(
                f"data.reset = document is not for this form of {self.model.kind}: kssm-v3 (but for mobius, "
                "feedback and latch), gated, and gpt (but for learned places) have it; or leave it at never"
            )

    @property
    def processes(self) -> int:
        """How many processes train together (`parallel.processes`, or one a device)."""
        return process_count(self.device, self.parallel.processes, self.batch)
