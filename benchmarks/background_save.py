"""What a checkpoint that is written behind costs the steps: the wait for it, and the steps beside it.

Rounds follow one another on one machine: torch.save and fsync of the state, steps alone, then a save of ours
with steps until it is on disk. Wall ratios are of neighbours in time; the processor time of the thread that
trains is compared, too, since it tells less of others' load.

usage: python -m benchmarks.background_save [PRESET] [ROUNDS] [CONTEXT]
"""

import os
import shutil
import sys
import tempfile
import time
from pathlib import Path
from statistics import fmean, median

import torch

from benchmarks.figures import Figure, report, seconds
from trainer.checkpoints.save import (
    Surroundings,
    capture_state,
    spare_memory,
    tensors_of,
    write_captured,
)
from trainer.config.resolve import resolve
from trainer.config.schema import RunConfig
from trainer.device.device import Device, open_device
from trainer.loop.background_save import BackgroundWriter
from trainer.loop.setup import build_state
from trainer.step.optimizer_step import Batch, train_step
from trainer.step.state import TrainState

PRESET, ROUNDS, CONTEXT, ALONE = "kssm-v3-28m", 8, 64, 4
VOCABULARY = 4096
STALL_PERCENT, SLOWER_PERCENT = 25.0, 20.0


class Trial:
    """One model, its steps, and both ways to save it."""

    def __init__(self, config: RunConfig, threads: int, folder: Path, context: int) -> None:
        self.config, self.folder = config, folder
        self.device: Device = open_device("cpu", threads)
        self.state: TrainState = build_state(config, self.device, VOCABULARY, 0)
        draw = torch.Generator().manual_seed(1)
        tokens = torch.randint(0, VOCABULARY, (1, context + 1), generator=draw)
        self.batch = Batch(tokens[:, :-1].contiguous(), tokens[:, 1:].contiguous(), None, context)
        self.writer = BackgroundWriter()
        self.around = Surroundings(config, self.device, "benchmark", VOCABULARY)
        self.number = 0
        for _ in range(2):
            self.step()
        self.writer.prepare(lambda: spare_memory(tensors_of(self.state)))
        self.step()

    def step(self) -> tuple[float, float]:
        """Take a step; return its wall seconds and the processor seconds of this thread."""
        wall, cpu = time.perf_counter(), time.thread_time()
        train_step(self.state, self.config, self.device, self.batch)
        return time.perf_counter() - wall, time.thread_time() - cpu

    def save_at_once(self) -> None:
        """The baseline: torch.save of weights and moments, and fsync."""
        path = self.folder / "plain.pt"
        with path.open("wb") as file:
            torch.save(
                {"model": self.state.model.state_dict(), "optimizer": self.state.optimizer.state_dict()}, file
            )
            file.flush()
            os.fsync(file.fileno())

    def save_behind(self) -> None:
        """All that a run waits for: the state is looked at and copied, and its write begun."""
        self.number += 1
        self.state.step = self.number
        captured = capture_state(self.state, self.around, "periodic", copied=True, spare=self.writer.spare)
        self.writer.spare = captured.tensors
        self.writer.begin(lambda: write_captured(self.folder / "checkpoints", captured), lambda _: None)

    def is_written(self) -> bool:
        """Whether nothing is in flight any more."""
        self.writer.settle(lambda again: again(), wait=False)
        return not self.writer.is_busy


def measure(preset: str, rounds: int, context: int, threads: int) -> list[Figure]:
    """Stall as a share of the baseline, steps beside a write over steps alone; medians of the rounds."""
    config = resolve(preset, overrides=["optim.amp=off", "kernels=torch", "batch=1"]).config
    stalls, shares, wall, cpu, plain_s = [], [], [], [], []
    with tempfile.TemporaryDirectory() as folder:
        Path(folder, "checkpoints").mkdir()
        trial = Trial(config, threads, Path(folder), context)
        for number in range(rounds + 1):
            plain = seconds(trial.save_at_once)
            alone = [trial.step() for _ in range(ALONE)]
            stall = seconds(trial.save_behind)
            beside = [trial.step()]
            while not trial.is_written():
                beside.append(trial.step())
            alone += [trial.step() for _ in range(ALONE)]
            print(
                f"round {number}: {plain:.2f} s, {stall:.3f} s, {len(beside)} steps beside", file=sys.stderr
            )
            plain_s.append(plain)
            stalls.append(stall)
            shares.append(100 * stall / plain)
            slower = [
                fmean(b) / fmean(a)
                for b, a in zip(zip(*beside, strict=True), zip(*alone, strict=True), strict=True)
            ]
            wall.append(100 * (slower[0] - 1))
            cpu.append(100 * (slower[1] - 1))
            for old in sorted(Path(folder, "checkpoints").iterdir())[:-1]:
                shutil.rmtree(old)
    name, n = f"{preset}, {threads} thread{'s' if threads > 1 else ''}", rounds
    stall_aim, slower_aim = (STALL_PERCENT, SLOWER_PERCENT) if threads == 1 else (None, None)
    print(f"load {os.getloadavg()[0]:.1f}", file=sys.stderr)
    return [
        Figure(f"{name}: torch.save and fsync", median(plain_s[1:]), "s", n=n),
        Figure(f"{name}: stall of a save behind", median(stalls[1:]), "s", n=n),
        Figure(f"{name}: stall, of torch.save", median(shares[1:]), "%", stall_aim, n=n),
        Figure(f"{name}: stall of the first one", shares[0], "%", stall_aim),
        Figure(f"{name}: steps beside a write, wall time", median(wall[1:]), "%", slower_aim, n=n),
        Figure(f"{name}: steps beside a write, their CPU", median(cpu[1:]), "%", slower_aim, n=n),
    ]


def main() -> None:
    """Measure on one thread, and print what two do."""
    words = sys.argv[1:]
    preset = words[0] if words else PRESET
    rounds = int(words[1]) if len(words) > 1 else ROUNDS
    context = int(words[2]) if len(words) > 2 else CONTEXT
    report([one for threads in (1, 2) for one in measure(preset, rounds, context, threads)])


if __name__ == "__main__":
    main()
