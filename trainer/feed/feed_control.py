"""What is asked of a feed while it trains: to pause, resume, stop, skip, retry, move; and its snapshots."""

import time
from collections.abc import Callable

from safetensors import SafetensorError
from safetensors.torch import load_file

from trainer.checkpoints.save import MODEL_FILE, OPTIMIZER_FILE
from trainer.feed.daily_snapshot import SnapshotTime
from trainer.feed.feed_folder import FeedFolder
from trainer.feed.feed_ledger import FeedEvent, FeedLedger
from trainer.feed.feed_requests import FeedRequest, answer_feed, pending_requests
from trainer.loop.checkpoint import save_checkpoint
from trainer.loop.context import Training
from trainer.run.checkpoints.manifest import verify
from trainer.run.checkpoints.pins import SNAPSHOT, pin, read_pins, unpin
from trainer.run.run_errors import CheckpointError

POLL_S = 0.05
IDLE_S = 0.02


class FeedControl:
    """Attends to requests and to the clock between two steps; all are answered, also while paused."""

    def __init__(
        self,
        run: Training,
        folder: FeedFolder,
        ledger: FeedLedger,
        clock: Callable[[], float],
        snapshot_at: SnapshotTime | None,
        keep_snapshots: int,
    ) -> None:
        self._run, self._folder, self._ledger = run, folder, ledger
        self._clock, self._snapshot_at, self._keep = clock, snapshot_at, keep_snapshots
        self._skip = ""
        self._polled_at = float("-inf")
        self._current: str | None = None

    def attend(self, current: str | None) -> None:
        """Answer what was asked; hold the run while it is paused; take the snapshot of the day.

        Args:
            current: the shard that is being trained.

        Raises:
            StoppedError: a stop was requested.
        """
        stop = self._run.job.stop
        self._current = current
        self._answer_all()
        stop.check()
        if self._ledger.state.paused:
            self._hold()
        state = self._ledger.state
        if self._snapshot_at and self._run.state.step:
            date = self._snapshot_at.due(self._clock(), state.snapshot, state.began)
            if date:
                self._snapshot(date)

    def skips(self, shard: str) -> bool:
        """Whether the shard that is being trained is to be left; asking ends that."""
        asked, self._skip = self._skip == shard, ""
        return asked

    def _hold(self) -> None:
        """Wait until the feed is resumed; a stop, and every other wish, is honoured meanwhile."""
        run, why = self._run, self._ledger.state.paused
        if run.state.step:
            save_checkpoint(run, "interrupt")
        run.job.reporter.events.phase("paused", run.state.step, why)
        run.job.reporter.note(f"{why}: the feed holds at step {run.state.step}", "info", run.state.step)
        while self._ledger.state.paused:
            time.sleep(IDLE_S)
            self._answer_all()
            run.job.stop.check()
        run.job.reporter.events.phase("training", run.state.step, "resumed")

    def _answer_all(self) -> None:
        if time.monotonic() - self._polled_at < POLL_S:
            return
        self._polled_at = time.monotonic()
        for request in pending_requests(self._folder):
            done, message = self._carry_out(request)
            answer_feed(self._folder, request, done, message)

    def _carry_out(self, request: FeedRequest) -> tuple[bool, str]:
        """Do what is asked; return whether it had an effect, and a sentence."""
        state = self._ledger.state
        match request.verb:
            case "pause":
                if state.paused:
                    return False, "it is paused already"
                self._note("paused", reason="paused by an operator")
                return True, f"paused after step {self._run.state.step}"
            case "resume":
                if not state.paused:
                    return False, "it is not paused: nothing to resume"
                self._note("resumed")
                return True, "resumed"
            case "stop":
                self._run.job.stop.ask("stop requested")
                return True, f"stopping after step {self._run.state.step}, with a checkpoint"
            case "snapshot":
                if not self._run.state.step:
                    return False, "no step was done yet"
                name = self._snapshot(time.strftime("%Y-%m-%d", time.localtime(self._clock())))
                return bool(name), f"snapshot {name}" if name else "the snapshot could not be verified"
        return self._about_a_shard(request)

    def _about_a_shard(self, request: FeedRequest) -> tuple[bool, str]:
        state, key = self._ledger.state, request.shard
        found = [one for one in state.shards if one == key or one.partition("-")[0] == key.zfill(4)]
        if len(found) != 1:
            return False, f"there is no shard {key[:40]!r}; `photinus-train feed list` names them"
        key, shard = found[0], state.shards[found[0]]
        if request.verb == "skip" and key == self._current:
            self._skip = key
            return True, f"{key} is left after step {self._run.state.step}"
        if request.verb == "skip" and shard.state == "waiting":
            self._note("skipped", shard=key, reason="an operator asked for it")
            return True, f"{key} is not trained"
        if request.verb == "retry" and shard.state in ("failed", "skipped") and key not in state.walk:
            self._note("retried", shard=key)
            return True, f"{key} waits again"
        if request.verb == "move" and shard.state == "waiting":
            order = [one for one in state.waiting if one != key]
            order.insert(max(request.place, 1) - 1, key)
            self._note("ordered", order=tuple(order))
            return True, f"{key} is number {order.index(key) + 1} of {len(order)}"
        why = " in part, and stays so" if key in state.walk and shard.state in ("failed", "skipped") else ""
        return False, f"{key} is {shard.state}{why}: nothing to {request.verb}"

    def _snapshot(self, date: str) -> str:
        """Save, prove and load a checkpoint, pin it, and let the oldest pin go; "" if it is no good."""
        run, folder = self._run, self._run.job.assignment.run
        save_checkpoint(run, "snapshot")
        name = run.state.parent
        try:
            verify(folder.checkpoints / name)
            for file in (MODEL_FILE, OPTIMIZER_FILE):
                load_file(folder.checkpoints / name / file)
        except (CheckpointError, SafetensorError, OSError) as error:
            run.job.reporter.note(f"the snapshot {name} cannot be loaded: {error}", "error", run.state.step)
            return ""
        pin(folder, name, SNAPSHOT)
        snapshots = sorted(one for one, why in read_pins(folder).items() if why == SNAPSHOT)
        for old in snapshots[: -self._keep]:
            unpin(folder, old)
        self._note("snapshot", date=date, checkpoint=name)
        run.job.reporter.note(f"snapshot {name}, proven by loading it", "info", run.state.step)
        return name

    def _note(self, what: str, **fields: object) -> None:
        self._ledger.note(FeedEvent(what=what, at=self._clock(), **fields))  # type: ignore[arg-type]
