"""One run as this client has heard of it: its host's word on the state, and what the run itself has said."""

from collections import deque
from collections.abc import Mapping
from dataclasses import dataclass, field
from math import nan

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
    StepBack,
)
from trainer.telemetry.zones import ZoneCounter
from tui.store.edge import NAMES_MAX
from tui.store.log_ring import LogRing
from tui.store.metrics.axis import RunAxes
from tui.store.metrics.catalogue import Metric, loss_of, metric
from tui.store.metrics.pace import UNKNOWN_S, RowPace
from tui.store.metrics.series import Series, real
from tui.store.metrics.told_events import ToldEvents

AT_WORK = frozenset({Evaluation, Probe, Phase, Sample, Checkpoint})


@dataclass(slots=True)
class RunRecord:
    """Everything about one run.

    Attributes:
        view: what the host's files say of it.
        received_at: monotonic seconds at which anything of it was received last.
        row: the newest metrics; NaN where the run said nan or inf.
        row_at: monotonic seconds at which the newest row was logged, by the clock of its host.
        probe: the newest look into the model.
        active_at: the same of anything else that shows it at work: scores, a checkpoint, a phase.
        catalogue: the metrics that it tells, in the order in which they were first heard of.
        names_left_out: whether it told more metrics than are kept.
        log_format: in which its log is, as far as it is known; of a command alone.
        axis: what its steps count, `step` or `epoch`.
        log_at: monotonic seconds at which its log was received first.
        announced_steps: planned steps that its log announces, 0 for none.
        step_back: the newest time that it went back from trouble by itself.
        axes: along which its charts can lie.
        told: what it told beside its metrics, with the times of that.
        offline_at: when it was heard last, epoch seconds, while it is shown from this machine; else 0.
        version: grows with every change, metrics and state alike.
    """

    host: str
    view: RunView
    received_at: float
    series: dict[str, Series] = field(default_factory=dict)
    row: dict[str, float] = field(default_factory=dict)
    step: int | None = None
    row_at: float | None = None
    row_t: float = 0.0
    u_stat: str = ""
    active_at: float | None = None
    catalogue: dict[str, Metric] = field(default_factory=dict)
    pace: RowPace = field(default_factory=RowPace)
    hello: Hello | None = None
    floors: Floors | None = None
    phase: Phase | None = None
    evaluation: Evaluation | None = None
    probe: Probe | None = None
    sample: Sample | None = None
    checkpoint: Checkpoint | None = None
    step_back: StepBack | None = None
    notes: deque[Note] = field(default_factory=lambda: deque(maxlen=50))
    zones: ZoneCounter = field(default_factory=ZoneCounter)
    log: LogRing = field(default_factory=LogRing)
    names_left_out: bool = False
    log_format: str = ""
    axis: str = "step"
    log_at: float | None = None
    announced_steps: int = 0
    axes: RunAxes = field(default_factory=RunAxes)
    told: ToldEvents = field(default_factory=ToldEvents)
    offline_at: float = 0.0
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
        is_of_these = self.announced_steps >= (self.step or 0)  # else it counts something else
        return self.view.max_steps or (self.announced_steps if is_of_these else 0)

    def see(self, view: RunView, now: float) -> bool:
        """Take the host's word; an older one than is known changes nothing. Whether it is a state's news."""
        was_offline, self.offline_at = self.offline_at, 0.0
        if view.seq < self.view.seq:
            return False
        changed = not was_offline and (view.state, view.attempt) != (self.view.state, self.view.attempt)
        self.view = view
        self.received_at, self.version = now, self.version + 1
        return changed

    def apply(self, event: Event, now: float, zones: MetricBands | None = None) -> None:
        """Take one thing that the run said."""
        self.version += 1
        self.told.take(event)
        if type(event) in AT_WORK:
            self.active_at = max(now, self.active_at or now)
        match event:
            case Metrics():
                self._metrics(event, now, zones)
            case Evaluation() | Probe():
                self._look(event)
            case Resume():
                self._resume(event)
            case StepBack():
                self.step_back = event
            case Hello():
                self.hello = event
            case Floors():
                self.floors = event
            case Phase():
                self.phase = event
                if event.phase == "training" and event.total:
                    self.announced_steps = event.total
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
        self.step, self.row_at, self.row_t, self.u_stat = event.step, now, event.t, event.u_stat
        self.pace.row(event.step, event.t)
        self.row = {k: real(v) for k, v in event.values.items() if v is not None}
        self.row |= dict.fromkeys(event.nonfinite, nan)
        self._append(event.step, self.row)
        self.axes.row(event.step, event.t, self.row)
        tone = self.row.get("R", nan)
        if zones is not None and tone == tone:
            self.zones.add(zones, tone)

    def _reached(self, step: int | None) -> None:
        """A step that was told between two rows of metrics."""
        if step is not None and (self.step is None or step > self.step):
            self.step = step

    def _look(self, event: Evaluation | Probe) -> None:
        """Scores, or a look into the model."""
        if isinstance(event, Evaluation):
            self.evaluation = event
        else:
            self.probe = event
        if event.step is not None:
            self._append(event.step, event.values, scored=event is self.evaluation)

    def _append(self, step: int, values: Mapping[str, float | None], *, scored: bool = False) -> None:
        """One value more of each metric; of names beyond the bound nothing is kept."""
        for name, value in values.items():
            series = self.series.get(name)
            if series is None or not (series.version or name in self.catalogue):  # a chart may have asked
                if len(self.catalogue) >= NAMES_MAX:
                    self.names_left_out = True
                    continue
                self.catalogue[name] = metric(name, step, self.axis, scored=scored)
            series = series if series is not None else self.series_of(name)
            series.append(step, nan if value is None else real(value))

    def _resume(self, event: Resume) -> None:
        """Rows past the step that was resumed from are superseded."""
        if event.step is None:
            return
        for series in self.series.values():
            series.supersede(event.step)
        self.probe = self.probe if self.probe and (self.probe.step or 0) <= event.step else None
        self.pace.clear()
        self.axes.supersede(event.step)
        if self.step is not None:
            self.step = min(self.step, event.step)

    def series_of(self, name: str) -> Series:
        """The series of a metric, empty before its first value."""
        return self.series.get(name) or self.series.setdefault(name, Series())

    def forget_metrics(self) -> None:
        """Before its events are read again from an earlier place."""
        self.series.clear()
        self.axes = RunAxes()
        self.catalogue.clear()
        self.row, self.step, self.row_at, self.probe = {}, None, None, None
        self.active_at = self.log_at = self.step_back = None
        self.pace.clear()
        self.zones, self.told = ZoneCounter(), ToldEvents()
        self.version += 1

    @property
    def numbers(self) -> dict[str, float]:
        """The newest numbers: those of the last look into the model, and those of the newest row."""
        if self.probe is None:
            return self.row
        return {k: nan if v is None else real(v) for k, v in self.probe.values.items()} | self.row

    @property
    def step_s(self) -> float | None:
        """Usual seconds a step: what a run of ours says, else by its last rows, else what its log says."""
        given = self.newest("step_ms")
        pace = self.pace.step_s
        if given is None or given != given or self.axis != "step" or (pace is not None and self.is_command):
            return pace
        return given / 1000.0

    @property
    def row_s(self) -> float | None:
        """Usual seconds between two rows: by their times, else by how far the run has come since it began."""
        return self.pace.row_s or self.pace.row_since(self.began_s)

    @property
    def stall_s(self) -> float:
        """Seconds without a row after which it stands still: by its pace, longer while it does no steps."""
        at_else = self.phase is not None and self.phase.phase != "training" and self.phase.t >= self.row_t
        return max(self.pace.stall_s(self.began_s), UNKNOWN_S if at_else else 0.0)

    @property
    def began_s(self) -> float | None:
        """Seconds from its beginning to its newest row; None where unknown."""
        began_s = self.row_t - self.view.since
        return began_s if self.row_t and began_s > 0 else None

    @property
    def eta_s(self) -> float | None:
        """Seconds of training left, None where unknown."""
        if self.step is None or not self.max_steps:
            return None
        given = self.row.get("eta_s")
        if given is not None and given == given:
            return given
        pace = self.step_s if self.step_s is not None else self.pace.step_since(self.began_s)
        return None if pace is None else max(self.max_steps - self.step, 0) * pace

    @property
    def is_command(self) -> bool:
        """Whether it is a user's own command, known by its log alone."""
        return self.view.kind == "command"

    @property
    def kind(self) -> str:
        """What runs that tell the same metrics have in common: the format of a log, else the preset."""
        return self.log_format if self.is_command else self.view.preset or self.view.kind

    def newest(self, name: str) -> float | None:
        """The newest value of a metric, NaN included, in whichever row it stood; None before the first."""
        series = self.series.get(name)
        return series.last if series is not None else None

    @property
    def loss(self) -> float | None:
        """The newest loss, None where the run tells none."""
        return self.newest(loss_of(self.catalogue))

    @property
    def checkpoint_step(self) -> int | None:
        """Step of the newest checkpoint: the host's word or the run's own, whichever is later."""
        known = [c.step for c in (self.checkpoint, self.view.last_checkpoint) if c is not None]
        return max((step for step in known if step is not None), default=None)

    @property
    def unsaved_steps(self) -> int | None:
        """Steps that a kill would lose; None where the step is unknown."""
        return None if self.step is None else max(self.step - (self.checkpoint_step or 0), 0)

    @property
    def sample_text(self) -> str:
        """The newest sample."""
        return self.sample.text if self.sample else ""

    @property
    def name(self) -> str:
        """The run's name."""
        return clean_line(self.view.name)
