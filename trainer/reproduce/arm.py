"""One training run of a rerun, looked at on the way; it goes on where an earlier attempt was stopped."""

import hashlib
import io
import json
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from numpy.typing import NDArray

from trainer.config.keys import flatten
from trainer.config.resolve import resolve, to_values
from trainer.config.schema import RunConfig
from trainer.data import Batches
from trainer.job.outcome import StoppedError
from trainer.loop.setup import build_state
from trainer.reproduce.bench import Bench
from trainer.run.disk.atomic import write_bytes
from trainer.step.optimizer_step import to_device, train_step
from trainer.step.state import TrainState

SAVE_EVERY_S = 60.0

Row = dict[str, Any]
Measure = Callable[[TrainState], Row]


@dataclass(frozen=True)
class Arm:
    """What is trained.

    Attributes:
        points: steps after which it is looked at, ascending.
        text: names the training text; an arm that was stopped goes on with this text only.
    """

    name: str
    config: RunConfig
    points: Sequence[int]
    text: str

    @property
    def fingerprint(self) -> str:
        """16 hex digits over everything that the weights depend on, and the points.

        Defaults are left out, so that a key which is new in the schema disowns no arm.
        """
        defaults = flatten(to_values(RunConfig()))
        chosen = {
            key: value for key, value in flatten(to_values(self.config)).items() if value != defaults[key]
        }
        what = [chosen, list(self.points), self.text, torch.__version__]
        return hashlib.sha256(json.dumps(what, sort_keys=True).encode()).hexdigest()[:16]


def scaled_down(preset: str, *overrides: str, seed: int) -> RunConfig:
    """Return a preset at another size, in float32."""
    fixed = ("optim.amp=off", "micro_batch=0", f"seed={seed}")
    return resolve(preset, overrides=[*overrides, *fixed]).config


def carry_out(
    arm: Arm, tokens: NDArray[Any], vocab: int, bench: Bench, measure: Measure
) -> tuple[TrainState, list[Row]]:
    """Train to the last step; return the state and what `measure` said at each point, with its `step`.

    Args:
        tokens: `[N]`, to train on.

    Raises:
        StoppedError: a stop was requested; with a folder, the arm waits there.
    """
    config = arm.config
    state = build_state(config, bench.device, vocab, 0)
    kept = _Kept(bench.out / f"arm-{arm.fingerprint}.pt" if bench.out else None)
    rows = kept.restore(state)
    bench.ticker.skip(state.step)
    batches = Batches(tokens, config.context, config.batch, config.seed)
    while state.step < config.steps:
        if bench.stop.requested():
            kept.save(state, rows)
            raise StoppedError(f"{bench.stop.reason} at step {state.step:,} of {arm.name}")
        means, _ = train_step(
            state, config, bench.device, to_device(batches.batch_at(state.step), bench.device)
        )
        if state.step in arm.points:
            rows.append({"step": state.step, **measure(state)})
        if kept.is_due():
            kept.save(state, rows)
        if state.step % 50 == 0 and state.step < config.steps:
            bench.ticker.beat(arm.name, state.step, config.steps, f", CE {float(means[1]):.3f}")
    bench.ticker.beat(arm.name, config.steps, config.steps)
    kept.save(state, rows)
    return state, rows


class _Kept:
    """The file of an arm; the arm is the same one if its fingerprint, in the name, is."""

    def __init__(self, path: Path | None) -> None:
        self._path = path
        self._saved_at = time.monotonic()

    def is_due(self) -> bool:
        return self._path is not None and time.monotonic() - self._saved_at >= SAVE_EVERY_S

    def save(self, state: TrainState, rows: list[Row]) -> None:
        if self._path is None:
            return
        buffer = io.BytesIO()
        torch.save(
            {
                "step": state.step,
                "rows": rows,
                "model": state.model.state_dict(),
                "optimizer": state.optimizer.state_dict(),
                "noise": state.noise.get_state(),
                "torch": torch.get_rng_state(),
            },
            buffer,
        )
        write_bytes(self._path, buffer.getvalue())
        self._saved_at = time.monotonic()

    def restore(self, state: TrainState) -> list[Row]:
        """Take up what is there; return the rows so far."""
        if self._path is None or not self._path.exists():
            return []
        stored = torch.load(self._path, weights_only=True)
        state.step = stored["step"]
        state.model.load_state_dict(stored["model"])
        state.optimizer.load_state_dict(stored["optimizer"])
        state.noise.set_state(stored["noise"])
        torch.set_rng_state(stored["torch"])
        rows: list[Row] = stored["rows"]
        return rows
