"""A run that is fed: shard after shard, each its own steps, with all that training changes carried over.

`feed` is the story. What is asked of it meanwhile lies in `feed_control`.
"""

import time
from collections.abc import Callable
from dataclasses import dataclass
from statistics import fmean

import msgspec

from trainer.checkpoints.restore import restore
from trainer.checkpoints.retain import set_aside
from trainer.device.device import open_device, own_device
from trainer.device.operators import Fallbacks
from trainer.feed.daily_snapshot import SnapshotTime
from trainer.feed.feed_control import FeedControl
from trainer.feed.feed_folder import FeedFolder
from trainer.feed.feed_ledger import FeedEvent, FeedLedger
from trainer.feed.inbox import FeedReading, Inbox
from trainer.feed.shard import FedShard, load_shard
from trainer.feed.shard_order import Leg, ShardBatches, replayed_examples, steps_of
from trainer.job.job import Job
from trainer.job.outcome import DivergedError, RefusedError, StoppedError, TrainingFailedError
from trainer.loop.checkpoint import finish, save_checkpoint, settle
from trainer.loop.context import Training
from trainer.loop.report import evaluate, report
from trainer.loop.step_back import begin_again, restore_scale
from trainer.loop.train import prepare_training, step
from trainer.run.checkpoints.manifest import manifest_sha256, newest_valid
from trainer.run.run_errors import CheckpointError
from trainer.step.self_defence import Trouble
from trainer.step.world import World

FEED = "feed"
FEW = 5
"""Steps at the end of a shard over which its last loss is averaged."""
REGRESSION = 0.02
"""Share by which the held-out CE has to rise over a shard to be called a regression."""
IDLE_S = 0.05


@dataclass(frozen=True, slots=True)
class FeedWish:
    """How a run is fed.

    Attributes:
        once: end when nothing waits any more, instead of waiting for more.
        replay: examples of earlier shards among those of a shard, as a share of its own.
        snapshot_at: when the daily snapshot is due; None: never.
        keep_snapshots: how many of them stay pinned.
        clock: Unix seconds.
    """

    once: bool = False
    replay: float = 0.0
    snapshot_at: SnapshotTime | None = None
    keep_snapshots: int = 7
    clock: Callable[[], float] = time.time


def feed(job: Job, wish: FeedWish) -> None:
    """Train what comes, until a stop is requested; with `once`, until nothing waits.

    Raises:
        StoppedError: a stop was honoured, the checkpoint is on disk.
        RefusedError, TrainingFailedError: it cannot be done, or cannot go on.
    """
    device = open_device(own_device(job.assignment.device, job.assignment.rank), job.threads)
    device.set_tf32(job.assignment.config.optim.tf32)
    fallbacks = Fallbacks()
    with fallbacks.listening(), World().join(device) as world:
        job.stop.check()
        run = prepare_training(job, device, world)
        run.fallbacks = fallbacks
        try:
            Feeding(run, wish).until_stopped()
        finally:
            finish(run)


class Feeding:
    """A feed under way.

    Attributes:
        run: the training; its `batches` are those of the walk through the shards.
        ledger: what happened to every shard.
    """

    def __init__(self, run: Training, wish: FeedWish) -> None:
        """Read the ledger, and finish what a kill left between a shard's checkpoint and its line.

        Raises:
            RefusedError: ledger and checkpoint do not belong together.
        """
        self.run, self._wish = run, wish
        self.folder = FeedFolder(run.job.assignment.run.path / FEED).create()
        self.ledger = FeedLedger(self.folder.ledger)
        config = run.config
        reading = FeedReading(run.corpus.tokenizer, config.context, config.data.text_field)
        self._inbox = Inbox(self.folder, self.ledger, reading, self._warn, wish.clock)
        self._walk = ShardBatches(self._load, config.context, config.batch, config.seed)
        run.batches = self._walk
        self._losses: list[float] = []
        self._control = FeedControl(
            run, self.folder, self.ledger, wish.clock, wish.snapshot_at, wish.keep_snapshots
        )
        self._take_up()

    def until_stopped(self) -> None:
        """Train shard after shard."""
        try:
            while (leg := self._next_leg()) is not None:
                self._train(leg)
        except StoppedError:
            self._interrupt()
            raise
        self.run.job.reporter.say("Feed Finished.")

    def _take_up(self) -> None:
        """Lay out the walk that the ledger tells, and stand where the checkpoint does."""
        state = self.ledger.state
        for key in state.walk:
            shard = state.shards[key]
            if shard.begun is None:
                continue
            begun = shard.begun
            end = begun.end if shard.state in ("training", "done") or not shard.ended else shard.ended.end
            if end > begun.start:
                self._walk.legs.append(Leg(key, begun.start, end, begun.replayed, begun.replay_of))
        here = self.run.state.step
        walked = self._walk.legs[-1].end if self._walk.legs else 0
        if here > walked:
            raise RefusedError(
                f"the ledger of the feed ends at step {walked}, the checkpoint is of step {here}: they do "
                "not belong together; begin anew with --fresh, or bring the ledger back"
            )
        if state.torn:
            self._warn(f"{state.torn} lines of the ledger could not be read and were passed over")
        for leg in self._walk.legs:
            if leg.end == here and state.shards[leg.shard].state == "training":
                self._finish(leg)

    def _next_leg(self) -> Leg | None:
        """Return what to train next; wait for it, unless that is over with the last one."""
        was_idle = False
        while True:
            self._control.attend(None)
            if leg := self._walk.leg_at(self.run.state.step):
                return leg
            self._inbox.take_all()
            if self.ledger.state.waiting:
                return self._begin(self.ledger.state.waiting[0])
            if self._wish.once:
                if not self.ledger.state.walk:
                    raise RefusedError(
                        f"ran 0 steps: nothing waits in {self.folder.inbox}; put files there, or leave "
                        "--once out"
                    )
                return None
            if not was_idle:
                self.run.job.reporter.events.phase("waiting", self.run.state.step, "the inbox is empty")
                was_idle = True
            time.sleep(IDLE_S)

    def _begin(self, key: str) -> Leg:
        """Note where a shard begins and where it must end: that is decided once, before its first step."""
        run, state = self.run, self.ledger.state
        own = state.shards[key].admitted
        earlier = tuple(dict.fromkeys(one for one in state.walk if state.shards[one].state == "done"))
        sizes = sum(state.shards[one].admitted.examples for one in earlier)
        replayed = replayed_examples(own.examples, sizes, self._wish.replay)
        start = run.state.step
        leg = Leg(
            key,
            start,
            start + steps_of(own.examples + replayed, run.config.batch),
            replayed,
            earlier if replayed else (),
        )
        before = state.val_ce
        if before is None and not self._walk.legs:
            evaluate(run)
            before = (run.state.metrics or {}).get("val_ce")
        self.ledger.note(
            FeedEvent(
                what="begun", at=self._wish.clock(), shard=key, name=own.name, start=leg.start, end=leg.end,
                replayed=replayed, replay_of=leg.replay_of, val_before=before,
            )
        )  # fmt: skip
        self._walk.legs.append(leg)
        run.job.reporter.note(
            f"shard {key} ({own.name}): {own.examples} examples"
            + (f" and {replayed} of earlier ones" if replayed else "")
            + f", steps {leg.start} to {leg.end}",
            "info",
            start,
        )
        return leg

    def _train(self, leg: Leg) -> None:
        """Train a shard to its end; it is skipped where that is asked for, and fails where its numbers do."""
        run, config = self.run, self.run.config
        run.config = msgspec.structs.replace(config, steps=leg.end)
        run.job.reporter.events.phase("training", run.state.step, f"shard {leg.shard}")
        before, ran = run.state.step, 0
        self._losses = []
        try:
            while run.state.step < leg.end:
                self._control.attend(leg.shard)
                if self._control.skips(leg.shard):
                    self._skip(leg)
                    return
                step(run)
                settle(run, wait=False)
                ran += 1
                if trouble := self._look(leg):
                    self._fail(leg, trouble)
                    return
        finally:
            run.config = config
        if ran != leg.end - before or not ran:
            raise TrainingFailedError(f"ran {ran} of {leg.end - before} steps of shard {leg.shard}")
        self._finish(leg)

    def _look(self, leg: Leg) -> Trouble | None:
        """Speak, score and save between two steps, where that is due; return what is wrong, if anything."""
        run, config = self.run, self.run.config
        here, last = run.state.step, run.state.step == leg.end
        row = last or here % config.log.every == 0 or here == leg.start + 1
        saves = not last and config.checkpoint.every > 0 and here % config.checkpoint.every == 0
        trouble = report(run) if row else None
        if row or saves:
            trouble = self._watch() or trouble
        if trouble:
            return trouble
        if not last and config.eval.every and here % config.eval.every == 0:
            evaluate(run)
        if saves:
            save_checkpoint(run, "periodic")
        return None

    def _watch(self) -> Trouble | None:
        """Look at every step since the last look. Waits for the device."""
        run, guard = self.run, self.run.config.guard
        steps = run.meter.steps_since()
        self._losses += [loss for loss, _ in steps]
        for number, (loss, norm) in enumerate(steps, run.state.step - len(steps) + 1):
            if found := run.state.defence.observe(number, loss, norm, guard, guard.skips):
                return found
        return None

    def _finish(self, leg: Leg) -> None:
        """Score the model, save it, and note that the shard is done: in this order."""
        run, begun = self.run, self.ledger.state.shards[leg.shard].begun
        best = evaluate(run)
        save_checkpoint(run, "best" if best else "periodic")
        settle(run, wait=True)
        after, before = (run.state.metrics or {}).get("val_ce"), begun.val_before if begun else None
        worse = after is not None and before is not None and after > before * (1 + REGRESSION)
        self.ledger.note(
            FeedEvent(
                what="done", at=self._wish.clock(), shard=leg.shard, start=leg.start, end=leg.end,
                loss_first=self._losses[0] if len(self._losses) == leg.end - leg.start else None,
                loss_last=fmean(self._losses[-FEW:]) if self._losses else None,
                val_before=before, val_after=after, regression=worse, checkpoint=run.state.parent,
            )
        )  # fmt: skip
        told = f"shard {leg.shard} done at step {leg.end}"
        if worse:
            self._warn(f"{told}: held-out CE rose from {before:.4f} to {after:.4f}")
        else:
            run.job.reporter.note(told, "info", run.state.step)

    def _skip(self, leg: Leg) -> None:
        """Leave the rest of a shard out; what was trained of it stays in the weights, and that is noted."""
        if self.run.state.step:
            save_checkpoint(self.run, "periodic")
            settle(self.run, wait=True)
        self._end(leg, "skipped", self.run.state.step, "an operator asked for it")

    def _end(self, leg: Leg, what: str, here: int, why: str) -> None:
        done = {"skipped": "skipped", "failed": "failed"}[what]
        self.ledger.note(
            FeedEvent(
                what="skipped" if done == "skipped" else "failed", at=self._wish.clock(), shard=leg.shard,
                start=leg.start, end=here, reason=why[:500],
            )
        )  # fmt: skip
        self._walk.legs.pop()
        if here > leg.start:
            self._walk.legs.append(Leg(leg.shard, leg.start, here, leg.replayed, leg.replay_of))
        self._warn(f"shard {leg.shard} {done} after {here - leg.start} of {leg.end - leg.start} steps: {why}")

    def _fail(self, leg: Leg, trouble: Trouble) -> None:
        """Return to the newest checkpoint, and go on with the next shard from there.

        Raises:
            DivergedError: this shard did not begin from a checkpoint that is there still.
        """
        run, job = self.run, self.run.job
        settle(run, wait=True)
        found = newest_valid(job.assignment.run.checkpoints, self._warn)
        if found is None and leg.start:
            raise DivergedError(f"shard {leg.shard}: {trouble.reason}; no checkpoint is left to go on from")
        if found is None or found.manifest is None:
            begin_again(run.state, run.config, run.device, run.corpus.vocab_size, job.assignment.rank)
        else:
            restore(run.state, found.path, found.manifest, run.device)
            restore_scale(run.state, found.manifest)
            run.state.parent = found.name
        run.meter.forget()
        here = run.state.step
        set_aside(job.assignment.run, here, job.assignment.attempt)
        job.ledger.step = here
        job.ledger.at_checkpoint(
            here if found else -1,
            found.name if found else None,
            manifest_sha256(found.path) if found else None,
        )
        job.reporter.events.resume(here, found.name if found else "")
        if here < leg.start:
            raise DivergedError(f"shard {leg.shard}: {trouble.reason}; the checkpoint before it is damaged")
        self._end(leg, "failed", here, trouble.reason)

    def _interrupt(self) -> None:
        run = self.run
        if run.state.step:
            run.job.reporter.events.phase("stopping", run.state.step, run.job.stop.reason)
            if trouble := self._watch():
                self._warn(f"not saved: {trouble.reason}")
                return
            save_checkpoint(run, "interrupt")

    def _load(self, key: str) -> FedShard:
        shard = self.ledger.state.shards[key].admitted
        try:
            return load_shard(self.folder.shards / f"{key}.npz", shard.sha256, shard.tokens_sha256)
        except CheckpointError as error:
            raise TrainingFailedError(f"{error}; skip that shard, or bring its file back") from error

    def _warn(self, text: str) -> None:
        self.run.job.reporter.note(text, "warning", self.run.state.step)
