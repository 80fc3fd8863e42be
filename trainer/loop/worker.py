"""A process that is not the first of its run: it does what process 0 orders, and says nothing."""

import sys
from dataclasses import dataclass
from pathlib import Path

from trainer.job.environment import granted_threads, prepare_environment
from trainer.job.job import Assignment, Job, Origin
from trainer.job.outcome import ExitCode, RefusedError, TrainingFailedError
from trainer.job.reason import trace_of
from trainer.user_error import UserError


@dataclass(frozen=True, slots=True)
class Briefing:
    """What process 0 found out before the others begin.

    Attributes:
        checkpoint, sha256: what to continue from, and its manifest's hash; "" for nothing.
        fingerprint: of the tokens.
    """

    threads: int
    fingerprint: str
    checkpoint: str = ""
    sha256: str = ""


def briefing_of(job: Job, fingerprint: str) -> Briefing:
    """Return what the others must know of this job."""
    origin = job.origin
    return Briefing(
        job.threads, fingerprint, str(origin.path) if origin else "", origin.sha256 if origin else ""
    )


def carry_along(assignment: Assignment) -> ExitCode:
    """Follow process 0 to the end of the attempt. What goes wrong here is told to the launcher."""
    number = assignment.rank.number
    prepare_environment(deterministic=assignment.config.deterministic == "on")
    from torch.distributed.elastic.multiprocessing.errors import ErrorHandler

    from trainer.step.world import LostPeerError

    try:
        follow(assignment)
    except LostPeerError as error:  # whoever was lost is at fault, and the launcher knows who
        print(f"process {number}: {error}", file=sys.stderr, flush=True)
        return ExitCode.FAILURE
    except Exception as error:
        ErrorHandler().record_exception(error)
        if isinstance(error, UserError):
            print(f"process {number}: {error}", file=sys.stderr, flush=True)
        else:
            print(trace_of(error), file=sys.stderr, flush=True)
        return ExitCode.REFUSED if isinstance(error, RefusedError) else ExitCode.FAILURE
    return ExitCode.OK


def origin_at(path: Path, sha256: str) -> Origin:
    """Return a checkpoint that process 0 has named, proven here too.

    Raises:
        CheckpointError: it is another one here.
    """
    from trainer.run.checkpoints.manifest import verify

    return Origin(path, verify(path, sha256), sha256, path.name)


def follow(assignment: Assignment) -> None:
    """Meet the others, prepare as process 0 did, then step and report as ordered.

    Raises:
        LostPeerError: another process is gone.
        TrainingFailedError, DataError, CheckpointError: this one cannot go on.
    """
    from trainer.checkpoints.restore import restore
    from trainer.checkpoints.save import of_process
    from trainer.data import Batches, default_cache_dir
    from trainer.device.device import open_device, own_device
    from trainer.job.log_rotation import OwnLog
    from trainer.loop.init_from import initialise, tokens_of
    from trainer.loop.setup import build_state, take_precision
    from trainer.loop.step_back import return_to
    from trainer.run.checkpoints.manifest import verify
    from trainer.step.compile import compile_step
    from trainer.step.kernels import follow_kernels
    from trainer.step.optimizer_step import to_device, train_step_within_memory
    from trainer.step.self_defence import Trouble
    from trainer.step.world import WorkerOrder, World, digest

    config, rank = assignment.config, assignment.rank
    log = OwnLog(assignment.run, config.log.max_bytes)
    name = own_device(assignment.device, rank)
    device = open_device(name, config.threads or max(1, granted_threads() // rank.size))
    device.set_tf32(config.optim.tf32)
    device.set_deterministic(config.deterministic == "on")
    with World(rank).join(device) as world:
        if world.await_order() is WorkerOrder.END:
            return
        briefing: Briefing = world.share(Briefing(0, ""))
        device = open_device(name, briefing.threads)
        cache = assignment.cache or default_cache_dir()
        path = Path(briefing.checkpoint)
        known = path if briefing.sha256 else None
        corpus = tokens_of(config, briefing.fingerprint, known, cache_dir=cache)
        if corpus.fingerprint != briefing.fingerprint:
            raise TrainingFailedError("the text changed while it was read; let it rest, then resume")
        origin = verify(path, briefing.sha256) if briefing.sha256 else None
        horizon = int(origin.raw["schedule"]["horizon"]) if origin else 0
        state = build_state(config, device, corpus.vocab_size, horizon, rank)
        if origin:
            restore(state, path, origin, device, rank)
        else:
            initialise(state, config, device)
        precision, state.kernels = world.share((state.precision, state.kernels))
        take_precision(state, precision, device)
        if state.loss_scale and origin:
            state.loss_scale.restore(origin.raw.get("loss_scale") or state.loss_scale.state())
        follow_kernels(state.kernels, config.model, device)
        world.gather(digest(state.model))
        batches = Batches(corpus.train, config.context, config.batch, config.seed, corpus.begins[0])
        if config.compile == "on":
            batch, size = to_device(world.part(batches.batch_at(0)), device), state.micro_batch
            parts = (batch.inputs[:size], batch.targets[:size])
            state.compiled = compile_step(state.model, device, state.precision, *parts).loss

        def tell(message: str) -> None:
            print(f"  process {rank.number}: {message}", file=sys.stderr, flush=True)

        while (order := world.await_order()) is not WorkerOrder.END:
            log.keep_up()
            if order is WorkerOrder.STEP:
                batch = to_device(world.part(batches.batch_at(state.cursor)), device)
                train_step_within_memory(state, config, device, batch, tell, world)
            elif order is WorkerOrder.STEP_BACK:
                nothing = (("", ""), Trouble("", 0, 0), state.defence)
                (place, sha256), trouble, state.defence = world.share(nothing)
                target = origin_at(Path(place), sha256) if place else None
                return_to(state, config, device, target, trouble, corpus.vocab_size, rank)
            elif order is WorkerOrder.AGREE:
                mine = (state.defence.plateau, state.defence.skipped)
                state.defence.plateau, state.defence.skipped = world.share(mine)
            elif order is WorkerOrder.SAVE:
                world.gather((digest(state.model), of_process(state, device)))
