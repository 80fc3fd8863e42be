"""One run as it was at an earlier time, out of what is kept of it: nothing is read or parsed again."""

from dataclasses import replace

from remote.protocol.views import RunView
from trainer.telemetry.events import Checkpoint, Evaluation, Floors, Hello, Phase, Probe, Sample, StepBack
from tui.store.metrics.pace import ROWS
from tui.store.metrics.series import Series
from tui.store.past.past_log import past_log
from tui.store.runs import RunRecord


class CutSeries(dict[str, Series]):
    """The series of a run up to a step; each is cut when it is asked for."""

    def __init__(self, whole: dict[str, Series], step: int) -> None:
        super().__init__()
        self._whole, self._step = whole, step

    def get(self, name: str, default: Series | None = None) -> Series | None:  # type: ignore[override]
        """The series of a metric, empty where it had told none by then."""
        found = super().get(name)
        if found is None and (whole := self._whole.get(name)) is not None:
            index = whole.index_at(self._step)
            found = self[name] = whole.first(0 if index is None else index + 1)
        return found if found is not None else default


def past_run(run: RunRecord, t: float, mono: float, before: RunRecord | None) -> RunRecord | None:
    """The run at `t` (epoch seconds of its host), which is `mono` of our own clock; None before it was there.

    `before` is what this made of it for the moment before: what has not changed since is taken from there.
    """
    if t < run.view.created:
        return None
    rows = run.axes.rows_by(t, ROWS)
    step, row_t = rows[-1] if rows else (None, 0.0)
    made = RunRecord(run.host, past_view(run, t, has_rows=bool(rows)), mono)
    if before is not None and before.step == step and before.version == run.version:
        made.series, made.row = before.series, before.row
    elif step is not None:
        made.series = CutSeries(run.series, step)
        made.row = {name: value for name in run.catalogue if (value := _at(run, name, step)) is not None}
    made.version = run.version
    made.step, made.catalogue, made.axes, made.axis = step, run.catalogue, run.axes, run.axis
    made.announced_steps, made.u_stat, made.log_format = run.announced_steps, run.u_stat, run.log_format
    if step is not None:
        made.row_t, made.row_at = row_t, mono - (t - row_t)
    for told_step, told_t in rows:
        made.pace.row(told_step, told_t)
    told = run.told
    made.hello, made.floors = told.newest(Hello, t) or run.hello, told.newest(Floors, t) or run.floors
    made.phase, made.evaluation = told.newest(Phase, t), told.newest(Evaluation, t)
    made.probe, made.sample = told.newest(Probe, t), told.newest(Sample, t)
    made.checkpoint, made.step_back = told.newest(Checkpoint, t), told.newest(StepBack, t)
    made.log = past_log(run.log, t, step, before.log if before is not None else None)
    return made


def past_view(run: RunRecord, t: float, *, has_rows: bool) -> RunView:
    """What its host said then, as far as that is known: its present state since that began, else at work."""
    view = run.view
    if t >= view.since:
        return view
    hello = run.told.newest(Hello, t)
    return replace(
        view,
        state="running" if has_rows or hello is not None else "starting",
        reason="",
        code=None,
        signal=None,
        since=hello.t if hello is not None else view.created,
        attempt=hello.attempt if hello is not None else view.attempt,
        last_checkpoint=None,
        step=None,
    )


def _at(run: RunRecord, name: str, step: int) -> float | None:
    series = run.series.get(name)
    index = series.index_at(step) if series is not None else None
    return None if series is None or index is None else series.tree.values[index]
