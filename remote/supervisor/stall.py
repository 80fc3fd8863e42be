"""Whether an attempt still shows a sign of life: steps and phases of our trainer, output of a command."""

import json
import os
import time
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field
from statistics import median
from typing import Any

from trainer.run.disk.small_record import open_plain
from trainer.run.layout import RunDir
from trainer.run.logs import log_files
from trainer.run.run_errors import RecordError
from trainer.run.spec import RunSpec

FLOOR_S = 600.0
STEPS = 10.0  # usual rows that a silence must outlast
LONGER = 3.0  # times the longest evaluation, save or compile that was seen
UNSEEN = 6.0  # floors, for a phase that was not seen to its end yet
LOOKS = 20  # looks within a silence
GAP_S = 30.0  # a look that came later than this: it was not the run alone that stood still
LEARNT_BYTES = 1 << 20  # what an adopted run had written before, to know its pace
ROWS = 64
SIGNS = frozenset({"metrics", "eval", "probe", "sample", "checkpoint", "state", "resume", "hello"})
TRAINING = "training"


def silence_of(spec: RunSpec) -> float | None:
    """How many seconds of silence are borne at least; None: a stall is no failure of this run."""
    asked = spec.restart.on_stall
    if spec.restart.policy == "never" or asked == 0:
        return None
    if asked is None:
        return FLOOR_S if spec.kind == "trainer" else None
    return asked


@dataclass(slots=True)
class UsualPace:
    """What is usual for a run, as far as it was seen: time between rows, length of each phase."""

    floor_s: float
    attempt: int = 1
    phase: str = ""
    _began: float = 0.0
    _row_at: float | None = None
    _step: int = -1
    _attempt: object = None
    _gaps: deque[float] = field(default_factory=lambda: deque(maxlen=ROWS))
    _longest: dict[str, float] = field(default_factory=dict)

    def hear(self, event: dict[str, Any]) -> bool:
        """Take note of an event; whether it is a sign of life. Another row of the same step is none."""
        kind, at, step = event.get("type"), event.get("t"), event.get("step")
        if kind not in SIGNS or isinstance(at, bool) or not isinstance(at, int | float):
            return False
        if event.get("attempt") != self._attempt:  # it begins where the one before had saved
            self._attempt, self._step, self._row_at, self.phase = event.get("attempt"), -1, None, ""
        if kind == "state":
            self._enter(str(event.get("phase", "")), at)
        elif kind == "metrics" and isinstance(step, int):
            if step <= self._step:
                return False
            if self._row_at is not None and at > self._row_at:
                self._gaps.append(at - self._row_at)
            self._step, self._row_at = step, at
        return True

    def timeouts(self) -> float:
        """How long a silence is borne now."""
        usual = max(self.floor_s, STEPS * median(self._gaps)) if self._gaps else self.floor_s
        is_stepping = self._attempt == self.attempt and self._row_at is not None
        if self.phase in ("", TRAINING) and is_stepping:
            return usual
        seen = self._longest.get(self.phase)
        return max(usual, UNSEEN * self.floor_s if seen is None else LONGER * seen)

    def words(self) -> str:
        """What is usual, for a person."""
        rows = f"a row of metrics every {median(self._gaps):.3g} s" if self._gaps else "no two rows yet"
        return f"{rows}, in {self.phase or 'no phase'}"

    def _enter(self, phase: str, at: float) -> None:
        if self.phase and at >= self._began:
            self._longest[self.phase] = max(self._longest.get(self.phase, 0.0), at - self._began)
        self.phase, self._began = phase, at


class StallWatch:
    """Looks now and then; says why once the silence lasted longer than is usual for the run."""

    def __init__(
        self, spec: RunSpec, run: RunDir, attempt: int, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._run, self._attempt, self._clock = run, attempt, clock
        self._is_trainer = spec.kind == "trainer"
        self._silence = silence_of(spec)
        self._pace = UsualPace(self._silence or FLOOR_S, attempt)
        self._offset, self._torn = self._begin(), b""
        self._last, self._quiet = clock(), 0.0
        self._next = 0.0
        self._last_signs = self._signs()

    def look(self) -> str:
        """Why the attempt counts as stalled; "" while it does not."""
        now = self._clock()
        if self._silence is None or now < self._next:
            return ""
        # Time in which nobody looked (a suspended machine, a supervisor that was starved) accuses nobody.
        self._quiet += min(now - self._last, max(GAP_S, 2 * self._every()))
        self._last, self._next = now, now + self._every()
        if self._is_trainer:
            if self._read():
                self._quiet = 0.0
        elif (signs := self._signs()) != self._last_signs:
            self._last_signs, self._quiet = signs, 0.0
        borne = self._pace.timeouts() if self._is_trainer else self._silence
        if self._quiet <= borne:
            return ""
        usual = f" (usual: {self._pace.words()})" if self._is_trainer else ""
        what = "no step" if self._is_trainer else "no output"
        return f"stalled: {what} for {self._quiet:.0f} s{usual}"

    def rest(self) -> None:
        """Whoever was in doubt has spoken: begin anew."""
        self._quiet = 0.0

    def _every(self) -> float:
        return min(5.0, (self._silence or FLOOR_S) / LOOKS)

    def _begin(self) -> int:
        try:
            return max(0, self._run.events.stat().st_size - LEARNT_BYTES)
        except OSError:
            return 0

    def _signs(self) -> tuple[str, int]:
        """The newest log and its size: all that is known of a command."""
        files = log_files(self._run)
        try:
            return (files[-1].name, files[-1].stat().st_size) if files else ("", 0)
        except OSError:
            return ("", 0)

    def _read(self) -> bool:
        """Take in what was written since; whether any of it, by this attempt, is a sign of life."""
        try:
            with os.fdopen(open_plain(self._run.events), "rb") as file:
                file.seek(self._offset)
                data = self._torn + file.read(LEARNT_BYTES)
                self._offset = file.tell()
        except (OSError, RecordError):
            return False
        *lines, self._torn = data.split(b"\n")
        self._torn = self._torn[-LEARNT_BYTES:]
        signs = [self._is_sign(line) for line in lines]  # each teaches what is usual
        return any(signs)

    def _is_sign(self, line: bytes) -> bool:
        try:
            event = json.loads(line)
        except (ValueError, RecursionError):
            return False
        if not isinstance(event, dict):
            return False
        return self._pace.hear(event) and event.get("attempt") == self._attempt
