"""Everything before the first step: tokens, model, optimizer, restored state, precision."""

import random
from collections.abc import Callable
from typing import TypeVar

import numpy as np
import torch

from trainer.checkpoints.compare import platform_differences, refusal
from trainer.checkpoints.restore import restore
from trainer.config.schema import RunConfig
from trainer.data import Corpus, DataProgress, Stopped, default_cache_dir
from trainer.data.prepare import fingerprint_under
from trainer.data.progress import Pulse
from trainer.data.scored import BatchSource
from trainer.data.tasks.task import Sequences
from trainer.device.device import Device
from trainer.device.out_of_memory import within_memory
from trainer.evals.scored_text import ScoredText, scored_text
from trainer.job.job import Job
from trainer.job.outcome import RefusedError, StoppedError
from trainer.job.rank import ALONE, Rank
from trainer.loop.init_from import initialise, tokens_of
from trainer.models import build
from trainer.models.bolted import BoltedGPT
from trainer.models.kssm import KuramotoSSM
from trainer.models.published import PublishedV3
from trainer.step.averaged_weights import AveragedWeights
from trainer.step.compile import Compiled, compile_step
from trainer.step.kernels import decide_kernels
from trainer.step.loss_scale import LossScale
from trainer.step.lr_schedule import schedule_for
from trainer.step.optimizer_step import to_device
from trainer.step.optimizers import OPTIMIZERS
from trainer.step.precision import BF16, FLOAT32, FP16, Precision, decide_precision
from trainer.step.recompute import recompute_blocks
from trainer.step.state import TrainState

T = TypeVar("T")
NOISE_SEED = 0x6E6F697365


def load_corpus(job: Job) -> Corpus:
    """Return the tokens of the run, reporting progress and honouring a stop.

    Raises:
        StoppedError: a stop was requested meanwhile.
        DataError: the text cannot be used; the message names the remedy.
    """
    reporter = job.reporter
    reporter.section(["[1] Dataset"], "tokenising", "reading the text")

    def tell(progress: DataProgress) -> None:
        reporter.events.phase("tokenising", detail=progress.stage, done=progress.done, total=progress.total)

    cache = job.assignment.cache or default_cache_dir()
    cache.parents[1].mkdir(mode=0o700, parents=True, exist_ok=True)  # a state root made here is private too
    try:
        corpus = tokens_of(
            job.assignment.config,
            known_tokens(job),
            job.origin.path if job.origin else None,
            cache_dir=cache,
            progress=tell,
            should_stop=job.stop.requested,
            warn=lambda text: reporter.note(text, "warning"),
        )
    except Stopped as stopped:
        raise StoppedError(job.stop.reason) from stopped
    for note in corpus.notes:
        reporter.note(note)
    return corpus


def known_tokens(job: Job) -> str:
    """Return the fingerprint of the tokens that the checkpoint was trained on; "-" of another source."""
    raw = job.origin.manifest.raw if job.origin else {}
    then = raw.get("config", {}).get("data", {})
    same = isinstance(then, dict) and then.get("source") == job.assignment.config.data.source
    return str(raw.get("data_fingerprint") or "-") if same else "-"


def load_scored(job: Job, corpus: Corpus) -> ScoredText:
    """Return the part of validation that the run is scored on, and say what counting alone achieves there.

    Raises:
        StoppedError: a stop was requested meanwhile.
    """
    reporter, cache = job.reporter, job.assignment.cache or default_cache_dir()

    def tell(progress: DataProgress) -> None:
        reporter.events.phase("tokenising", detail=progress.stage, done=progress.done, total=progress.total)

    try:
        scored = scored_text(corpus, job.assignment.config, cache, Pulse(tell, job.stop.requested))
    except Stopped as stopped:
        raise StoppedError(job.stop.reason) from stopped
    unigram, bigram, trigram = scored.floors
    reporter.events.floors(unigram, bigram, trigram, corpus.entropy_rate, fingerprint=corpus.fingerprint)
    if isinstance(scored.tokens, Sequences):
        task, held = corpus.meta.source, scored.tokens
        sizes = [
            f"  {task}: sequences drawn as they are needed",
            f"  val: {len(held):,} sequences, {held.scored:,} answers",
        ]
    else:
        sizes = [
            f"  train tokens: {len(corpus.train):,}",
            f"  val tokens: {len(corpus.val):,}, scored: {scored.count:,}",
        ]
    reporter.say(
        *sizes,
        f"  floors (nats a token): unigram {unigram:.3f}, bigram {bigram:.3f}, trigram {trigram:.3f}",
    )
    return scored


def build_state(
    config: RunConfig, device: Device, vocab_size: int, stored_horizon: int, rank: Rank = ALONE
) -> TrainState:
    """Return a fresh state: weights, generators and schedule drawn from the configuration alone.

    Every process of several draws the same weights, and noise of its own.
    """
    seed = config.seed
    random.seed(seed)
    np.random.seed(seed % 2**32)
    torch.manual_seed(seed)
    model = build(config.model, vocab_size).to(device.place)
    if rank.number:
        torch.manual_seed(seed + rank.number)
    noise = device.generator((seed + rank.number) ^ NOISE_SEED)
    if isinstance(model, (KuramotoSSM, BoltedGPT, PublishedV3)):
        model.noise_generator = noise
    if config.recompute:
        recompute_blocks(model, noise)
    return TrainState(
        model=model,
        optimizer=OPTIMIZERS[config.optim.name](model, config.optim),
        schedule=schedule_for(config.optim, config.steps, stored_horizon),
        precision=FLOAT32,
        noise=noise,
        micro_batch=min(config.micro_batch or config.batch, config.batch // rank.size),
        average=AveragedWeights(model, config.optim.ema) if config.optim.ema else None,
    )


def _as_named_then(job: Job, corpus: Corpus) -> str:
    """The corpus' fingerprint, under the suffix that its file had for the checkpoint where that fits."""
    raw = job.origin.manifest.raw if job.origin else {}
    then = raw.get("config", {}).get("data", {})
    source = then.get("source") if isinstance(then, dict) else None
    if raw.get("data_fingerprint") == corpus.fingerprint or not isinstance(source, str):
        return corpus.fingerprint
    renamed = fingerprint_under(job.assignment.config.data, corpus, source)
    return renamed if renamed == raw.get("data_fingerprint") else corpus.fingerprint


def take_up(job: Job, state: TrainState, corpus: Corpus, device: Device) -> None:
    """Continue from the job's checkpoint, where it has one.

    Raises:
        RefusedError: the data, the vocabulary or the device is another one.
    """
    origin = job.origin
    if origin is None:
        initialise(state, job.assignment.config, device)
        if state.parent:
            job.reporter.note(f"begins with the weights of {state.parent}; steps, rate and moments are new")
        return
    raw = origin.manifest.raw
    if lines := platform_differences(raw, device.kind, _as_named_then(job, corpus), corpus.vocab_size):
        raise RefusedError(refusal(origin.path.name, lines))
    restore(state, origin.path, origin.manifest, device, job.assignment.rank)
    state.parent = origin.parent
    if origin.path.parent != job.assignment.run.checkpoints:
        state.defence.anchor = str(origin.path)
    known: dict[str, Precision] = {"bf16": BF16, "fp16": FP16}
    autocast = known.get(str(raw.get("autocast")), FLOAT32).autocast
    take_precision(state, Precision(autocast, "as the checkpoint"), device)
    if state.loss_scale and len(stored := raw.get("loss_scale") or []) == 2:
        state.loss_scale.restore(stored)
    if raw.get("versions", {}).get("torch") != torch.__version__:
        job.reporter.note(
            f"the checkpoint was written by torch {raw.get('versions', {}).get('torch')}, this is "
            f"{torch.__version__}: the run continues, but not bit for bit",
            "warning",
        )


def take_precision(state: TrainState, precision: Precision, device: Device) -> None:
    """Set the precision of a state; fp16 brings the scale of its loss."""
    state.precision = precision
    state.loss_scale = LossScale(device.place) if precision.autocast == "fp16" else None


def choose_kernels(job: Job, state: TrainState, device: Device) -> None:
    """Decide what works the inner loops; a run that continues keeps to what its checkpoint names."""
    config, reporter = job.assignment.config, job.reporter
    wish = config.kernels
    if job.origin:
        wish = job.origin.manifest.raw.get("kernels", "torch")

    def building() -> None:
        reporter.events.phase("compiling", detail="kernels of the oscillators")

    state.kernels = decide_kernels(wish, config.model, device, building)
    reporter.say(f"  Kernels: {state.kernels.name} ({state.kernels.reason})")
    if wish == "native" and state.kernels.name != wish:
        bits = "; the run continues, but not bit for bit" if job.origin else ""
        reporter.note(f"no native kernels here: {state.kernels.reason}{bits}", "warning")


def choose_compiling(job: Job, state: TrainState, batches: BatchSource, device: Device) -> None:
    """Compile the training step, where that is asked for, and say how long it took or why it did not work.

    Raises:
        TrainingFailedError: a single sequence does not fit into memory.
    """
    if job.assignment.config.compile == "off":
        return
    job.reporter.events.phase("compiling", detail="the training step, by torch.compile")
    batch = to_device(batches.batch_at(0), device)

    def work(rows: int) -> Compiled:
        return compile_step(state.model, device, state.precision, batch.inputs[:rows], batch.targets[:rows])

    made = fitted(job, state, device, work)
    state.compiled = made.loss
    job.reporter.note(
        f"training step {made.message}" if made.loss else made.message, "info" if made.loss else "warning"
    )


def choose_precision(job: Job, state: TrainState, batches: BatchSource, device: Device) -> None:
    """Decide the precision of a run that begins; one that continues has it from its checkpoint.

    Raises:
        TrainingFailedError: a single sequence does not fit into memory.
    """
    config = job.assignment.config
    if job.origin is None:
        job.reporter.events.phase("probing", detail="bf16 autocast")
        batch = to_device(batches.batch_at(0), device)

        def work(rows: int) -> Precision:
            return decide_precision(
                config.optim.amp, state.model, device, batch.inputs[:rows], batch.targets[:rows]
            )

        take_precision(state, fitted(job, state, device, work), device)
    known: dict[str, Precision] = {"bf16": BF16, "fp16": FP16}
    chosen = known.get(state.precision.autocast, FLOAT32)
    job.reporter.say(f"  Precision: {chosen.reason} ({state.precision.reason})")


def fitted(job: Job, state: TrainState, device: Device, work: Callable[[int], T]) -> T:
    """Return what `work` made of as many sequences as memory holds; the micro-batch is that from here on."""

    def halved(rows: int) -> None:
        job.reporter.note(f"out of memory before the first step: micro-batch halved to {rows}", "warning")

    made, state.micro_batch = within_memory(work, state.micro_batch, device, halved)
    return made
