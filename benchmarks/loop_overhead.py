"""What our loop costs over a bare one: the same model, batches, optimizer, clip and rates, chunk by chunk.

The whole loop runs as it is (`train_together`); where it polls for a stop and a chunk of steps is done, the
bare loop does as many. So both see the same machine, and processor time is compared beside wall time.
"""

import contextlib
import statistics
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

import torch

from benchmarks.figures import Figure, report
from trainer.config.schema import RunConfig
from trainer.data import Batches
from trainer.device.device import open_device
from trainer.job.assignment import standalone
from trainer.job.job import Job
from trainer.job.outcome import Ledger
from trainer.job.reporter import RunReporter
from trainer.job.stop import Stop
from trainer.loop.context import Training
from trainer.loop.report import look
from trainer.loop.setup import build_state
from trainer.loop.train import prepare_training, train_together
from trainer.step.world import World
from trainer.telemetry.write import EventWriter

CHUNK, CHUNKS, LOOKS = 4, 24, 5
AIM_PERCENT = 2.0
COMMON = (
    "optim.amp=off", "eval.every=0", "checkpoint.every=0", "eval.tokens=256", "eval.sample_tokens=0",
    "threads=1", "device=cpu", "probe.every=0", f"steps={CHUNK * (CHUNKS + 1) + 1}",
)  # fmt: skip


@dataclass
class Clocks:
    """Processor and wall seconds of each chunk."""

    cpu: list[float] = field(default_factory=list)
    wall: list[float] = field(default_factory=list)

    def take(self, act: Callable[[], None]) -> None:
        """Time one chunk."""
        cpu, wall = time.process_time(), time.perf_counter()
        act()
        self.cpu.append(time.process_time() - cpu)
        self.wall.append(time.perf_counter() - wall)


class Taking(Stop):
    """Polled by our loop before every step: lets the bare loop have its turn after each chunk of ours."""

    def __init__(self, ledger: Ledger) -> None:
        super().__init__()
        self.ours, self.bare = Clocks(), Clocks()
        self.turn: Callable[[], None] | None = None
        self._ledger, self._begun = ledger, (0.0, 0.0)

    def check(self) -> None:
        """Where a chunk is done: note what it took, and run the bare one."""
        done = self._ledger.steps_done
        if self.turn is not None and done and done % CHUNK == 0 and done <= CHUNK * (CHUNKS + 1):
            if done > CHUNK:  # the first chunk warms up
                self.ours.cpu.append(time.process_time() - self._begun[0])
                self.ours.wall.append(time.perf_counter() - self._begun[1])
                self.bare.take(self.turn)
            else:
                self.turn()
            self._begun = time.process_time(), time.perf_counter()
        super().check()


def bare_loop(config: RunConfig, run: Training) -> Callable[[], None]:
    """A chunk of the shortest loop that trains the same: its own model, optimizer and cursor."""
    state = build_state(config, run.device, run.corpus.vocab_size, 0)
    batches = Batches(run.corpus.train, config.context, config.batch, config.seed)
    model, optimizer, rate = state.model, state.optimizer, state.schedule.rate
    parameters = list(model.parameters())
    step = 0

    def chunk() -> None:
        nonlocal step
        for _ in range(CHUNK):
            inputs, targets = (torch.from_numpy(array) for array in batches.batch_at(step))
            torch.autograd.backward(model.loss(inputs, targets).total)
            torch.nn.utils.clip_grad_norm_(parameters, config.optim.clip)
            for group in optimizer.param_groups:
                group["lr"] = rate(step)
            optimizer.step()
            optimizer.zero_grad()
            step += 1

    return chunk


def measure(preset: str, *overrides: str) -> tuple[Taking, float]:
    """Run both; return the clocks, and processor seconds of one look into the model (0: it has none)."""
    with tempfile.TemporaryDirectory() as folder:
        words = [*COMMON, *overrides]
        assignment = standalone(
            Path(folder, "run"), preset=preset, data=None, files=(), overrides=words, source=""
        )
        assignment.run.create()
        ledger = Ledger()
        stop = Taking(ledger)
        stop.watch(assignment.run, 1, "")
        with (
            Path(folder, "table").open("w") as table,
            contextlib.redirect_stdout(table),
            EventWriter(assignment.run.events, 1) as events,
        ):
            job = Job(
                assignment=assignment,
                origin=None,
                stop=stop,
                reporter=RunReporter(events),
                ledger=ledger,
                threads=1,
            )
            run = prepare_training(job, open_device("cpu", 1), World())
            stop.turn = bare_loop(assignment.config, run)
            train_together(run)
            looks = Clocks()
            for _ in range(LOOKS if "R" in run.meter.names else 0):
                looks.take(lambda: look(run))
        return stop, statistics.median(looks.cpu) if looks.cpu else 0.0


def figures(what: str, preset: str, *overrides: str) -> list[Figure]:
    """How much more our loop takes, in per cent of the bare one; and what its looks add."""
    clocks, look_s = measure(preset, *overrides)
    found = []
    for name, ours, bare in (
        ("CPU", clocks.ours.cpu, clocks.bare.cpu),
        ("wall", clocks.ours.wall, clocks.bare.wall),
    ):
        pairs = [100 * (one / other - 1) for one, other in zip(ours, bare, strict=True)]
        aim = AIM_PERCENT if name == "CPU" else None
        extra = statistics.median(pairs)
        found.append(Figure(f"{what}: loop over bare, {name} time", extra, "%", aim, n=len(pairs)))
    a_step = statistics.median(clocks.bare.cpu) / CHUNK
    print(
        f"{what}: {1e3 * a_step:.1f} ms a bare step, a look is {look_s / a_step:.2f} steps", file=sys.stderr
    )
    if look_s:
        every = RunConfig().probe.every
        share = 100 * look_s / (every * a_step)
        found.append(
            Figure(f"{what}: a look every {every} steps, CPU time", share, "%", AIM_PERCENT, n=LOOKS)
        )
    return found


def main() -> None:
    """Measure: the demo's model, and its attention control, whose step is shorter."""
    report([*figures("kssm-v3-tiny", "kssm-v3-tiny"), *figures("gpt-tiny", "gpt-tiny")])


if __name__ == "__main__":
    main()
