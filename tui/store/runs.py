"""One run as this client has heard of it: its host's word on the state, and what the run itself has said."""

from collections import deque
from collections.abc import Mapping
from dataclasses import dataclass, field
from itertools import pairwise
from math import inf, nan

from remote.protocol.sanitise import clean_line
from remote.protocol.views import RunView
from trainer.telemetry.bands import MetricBands
from trainer.telemetry.events import (
    Checkpoint,
    Evaluation,
    Event,
    Floors,
    Hello,
    Metrics,
    Note,
    Phase,
    Probe,
    Resume,
    Sample,
)
from trainer.telemetry.zones import ZoneCounter
from tui.store.edge import NAMES_MAX
from tui.store.log_ring import LogRing
from tui.store.series import Series

PACE_ROWS = 32
LONGEST_SHARE = 2.5


@dataclass(slots=True)
class RunRecord:
    """Everything about one run.

    Attributes:
        view: what the host's files say of it.
        heard_at: monotonic seconds at which anything of it was heard last.
        row: the newest metrics; NaN where the run said nan or inf.
        row_heard: monotonic seconds at which the newest row was said, by the clock of its host.
        probe: the newest look into the model.
        pace: (step, seconds of the run's clock) of the newest rows with a time; of those at once, the last.
        step_gap: steps between the last two rows; 0 before there are two.
        names_left_out: whether it told more metrics than are kept.
        log_format: in which its log is, as far as it is known; of a command alone.
        told_steps: planned steps that its log tells, 0 for none.
        version: grows with every change, metrics and state alike.
    """

    host: str
    view: RunView
    heard_at: float
    series: dict[str, Series] = field(default_factory=dict)
    row: dict[str, float] = field(default_factory=dict)
    step: int | None = None
    row_heard: float | None = None
    row_t: float = 0.0
    u_stat: str = ""
    pace: deque[tuple[int, float]] = field(default_factory=lambda: deque(maxlen=PACE_ROWS))
    step_gap: int = 0
    hello: Hello | None = None
    floors: Floors | None = None
    phase: Phase | None = None
    evaluation: Evaluation | None = None
    probe: Probe | None = None
    sample: Sample | None = None
    checkpoint: Checkpoint | None = None
    notes: deque[Note] = field(default_factory=lambda: deque(maxlen=50))
    zones: ZoneCounter = field(default_factory=ZoneCounter)
    log: LogRing = field(default_factory=LogRing)
    names_left_out: bool = False
    log_format: str = ""
    told_steps: int = 0
    version: int = 0

    @property
    def run_id(self) -> str:
        """The run's id."""
        return self.view.run_id

    @property
    def max_steps(self) -> int:
        """Planned steps, 0 where unknown."""
        if self.hello and self.hello.max_steps:
            return self.hello.max_steps
        return self.view.max_steps or self.told_steps

    def see(self, view: RunView, now: float) -> bool:
        """Take the host's word; an older one than is known changes nothing. Whether the state changed."""
        if view.seq < self.view.seq:
            return False
        changed = (view.state, view.attempt) != (self.view.state, self.view.attempt)
        self.view = view
        self.heard_at = now
        self.version += 1
        return changed

    def apply(self, event: Event, now: float, zones: MetricBands | None = None) -> None:
        """Take one thing that the run said."""
        self.version += 1
        match event:
            case Metrics():
                self._metrics(event, now, zones)
            case Evaluation():
                self._evaluation(event)
            case Probe():
                self._probe(event)
            case Resume():
                self._resume(event)
            case Hello():
                self.hello = event
            case Floors():
                self.floors = event
            case Phase():
                self.phase = event
                if event.phase == "training" and event.total:
                    self.told_steps = event.total
                self._reached(event.step)
            case Sample():
                self.sample = event
            case Checkpoint():
                self.checkpoint = event
                self._reached(event.step)
            case Note():
                self.notes.append(event)
            case _:
                pass  # of a later version: counted by the reader

    def _metrics(self, event: Metrics, now: float, zones: MetricBands | None) -> None:
        if event.step is None:
            return
        self.step, self.row_heard, self.row_t, self.u_stat = event.step, now, event.t, event.u_stat
        if self.pace and event.step < self.pace[-1][0]:
            self.pace.clear()
        if event.t and not (self.pace and event.step == self.pace[-1][0]):
            if self.pace:
                self.step_gap = event.step - self.pace[-1][0]
                if self.pace[-1][1] == event.t:
                    self.pace.pop()
            self.pace.append((event.step, event.t))
        self.row = {k: _real(v) for k, v in event.values.items() if v is not None}
        self.row |= dict.fromkeys(event.nonfinite, nan)
        self._append(event.step, self.row)
        tone = self.row.get("R", nan)
        if zones is not None and tone == tone:
            self.zones.add(zones, tone)

    def _reached(self, step: int | None) -> None:
        """A step that was told between two rows of metrics."""
        if step is not None and (self.step is None or step > self.step):
            self.step = step

    def _evaluation(self, event: Evaluation) -> None:
        self.evaluation = event
        if event.step is None:
            return
        self._append(event.step, event.values)

    def _probe(self, event: Probe) -> None:
        self.probe = event
        if event.step is None:
            return
        self._append(event.step, event.values)

    def _append(self, step: int, values: Mapping[str, float | None]) -> None:
        """One value more of each metric; of names beyond the bound nothing is kept."""
        for name, value in values.items():
            series = self.series.get(name)
            if series is None:
                if len(self.series) >= NAMES_MAX:
                    self.names_left_out = True
                    continue
                series = self.series[name] = Series()
            series.append(step, nan if value is None else _real(value))

    def _resume(self, event: Resume) -> None:
        """Rows past the step that was resumed from are superseded."""
        if event.step is None:
            return
        for series in self.series.values():
            series.supersede(event.step)
        if self.probe is not None and (self.probe.step or 0) > event.step:
            self.probe = None
        self.pace.clear()
        if self.step is not None:
            self.step = min(self.step, event.step)

    def series_of(self, name: str) -> Series:
        """The series of a metric, empty before its first value."""
        found = self.series.get(name)
        if found is None:
            found = self.series[name] = Series()
        return found

    def forget_metrics(self) -> None:
        """Before its events are read again from an earlier place."""
        self.series.clear()
        self.row, self.step, self.row_heard, self.probe = {}, None, None, None
        self.pace.clear()
        self.zones = ZoneCounter()
        self.version += 1

    @property
    def told(self) -> dict[str, float]:
        """The newest numbers: those of the last look into the model, and those of the newest row."""
        if self.probe is None:
            return self.row
        return {k: nan if v is None else _real(v) for k, v in self.probe.values.items()} | self.row

    @property
    def step_s(self) -> float | None:
        """Usual seconds a step: what the run says, else worked out from its last rows."""
        told = self.row.get("step_ms")
        if told is not None and told == told:
            return told / 1000.0
        gaps = sorted((b[1] - a[1]) / (b[0] - a[0]) for a, b in pairwise(self.pace) if b[1] > a[1])
        return gaps[len(gaps) // 2] if gaps else None

    @property
    def row_s(self) -> float | None:
        """Usual seconds between two rows: by their times, else by how far the run has come since it began.

        Rows may come in bursts: a pause that was the longest so far is not unusual when it is doubled.
        """
        gaps = sorted(b[1] - a[1] for a, b in pairwise(self.pace) if b[1] > a[1])
        if gaps:
            return max(gaps[len(gaps) // 2], gaps[-1] / LONGEST_SHARE)
        began_s = self.row_t - self.view.since
        if not self.row_t or began_s <= 0:
            return None
        return began_s * self.step_gap / self.step if self.step_gap and self.step else began_s

    @property
    def eta_s(self) -> float | None:
        """Seconds of training left, None where unknown."""
        if self.step is None or not self.max_steps:
            return None
        told = self.row.get("eta_s")
        if told is not None and told == told:
            return told
        return None if self.step_s is None else max(self.max_steps - self.step, 0) * self.step_s

    @property
    def checkpoint_step(self) -> int | None:
        """Step of the newest checkpoint: the host's word or the run's own, whichever is later."""
        known = [c.step for c in (self.checkpoint, self.view.last_checkpoint) if c is not None]
        steps = [step for step in known if step is not None]
        return max(steps) if steps else None

    @property
    def unsaved_steps(self) -> int | None:
        """Steps that a kill would lose; None where the step is unknown."""
        return None if self.step is None else max(self.step - (self.checkpoint_step or 0), 0)

    @property
    def name(self) -> str:
        """The run's name."""
        return clean_line(self.view.name)

    @property
    def sample_text(self) -> str:
        """The newest sample."""
        return self.sample.text if self.sample else ""


def _real(value: float) -> float:
    """A float; a whole number beyond every float is inf."""
    try:
        return float(value)
    except OverflowError:
        return inf
