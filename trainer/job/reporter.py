"""The run's two voices: events for programs, the K-SSM table for people and for monitors of old."""

import os
import sys
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

from trainer.job.log_rotation import OwnLog
from trainer.telemetry import table
from trainer.telemetry.write import EventWriter

HEADER_EVERY = 40


class RunReporter:
    """Says each thing once, in both places. Each line is flushed; a closed pipe silences stdout only.

    `log` is turned over between two lines, where a supervisor gave us one.
    """

    def __init__(self, events: EventWriter, log: OwnLog | None = None) -> None:
        self.events = events
        self._log = log
        self._rows = 0
        self._piped = True

    def say(self, *lines: str) -> None:
        """Print lines, each flushed."""
        if not self._piped:
            return
        try:
            for line in lines:
                print(line, flush=True)
            self._turn_over()
        except BrokenPipeError:
            self._piped = False
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
            self.events.note("nobody reads standard output any more; the run goes on", "warning")

    def _turn_over(self) -> None:
        if self._log is None:
            return
        try:
            self._log.turn_over()
        except OSError as error:  # a full disk, say: that must not end the run, and a long log is no harm
            self._log = None
            self.events.note(f"the log grows on in one file: no next one can be made ({error})", "warning")

    def note(self, message: str, level: str = "info", step: int | None = None) -> None:
        """Tell the operator a sentence."""
        self.say(f"  {message}" if level == "info" else f"  {level}: {message}")
        self.events.note(message, level, step)

    def metrics(self, step: int, values: Mapping[str, float]) -> None:
        """Speak a row of training metrics, under a header every so often."""
        if self._rows % HEADER_EVERY == 0:
            self.say(*table.header())
        self._rows += 1
        self.say(table.row(step, values))
        self.events.metrics(step, values)

    def evaluation(self, step: int, values: Mapping[str, float], best: bool, saves: bool) -> None:
        """Speak held-out scores; `end_evaluation` closes the block."""
        self.say(*table.eval_head(step, values, best, saves))
        self.events.evaluation(step, values, best)

    def sample(self, step: int, text: str, prompt: str, order: Sequence[float]) -> None:
        """Speak generated text, with R a generated token."""
        mean = sum(order) / len(order) if order else float("nan")
        self.say(*table.eval_sample(prompt + text, mean))
        self.events.sample(step, text, prompt, order)

    def end_evaluation(self) -> None:
        """Close the block that `evaluation` opened; the next row has a header of its own."""
        self.say(table.HEAVY_RULE)
        self._rows = 0

    def checkpoint(self, step: int, path: str, sha256: str, kind: str, size: int) -> None:
        """Announce a checkpoint that is proven on disk."""
        self.say(*table.checkpoint(step, path))
        self.events.checkpoint(step, path, sha256, kind, size)

    def resumed(self, step: int, path: str) -> None:
        """Announce from where this attempt goes on."""
        self.say(*table.resumed(step, path))
        self.events.resume(step, Path(path).name)

    def section(self, lines: Iterable[str], phase: str, detail: str = "") -> None:
        """Begin a part of the run: printed lines, and the phase for the cockpit."""
        self.say(*lines)
        self.events.phase(phase, detail=detail)
