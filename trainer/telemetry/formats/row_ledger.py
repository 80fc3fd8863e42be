"""From findings to events: attempts, ranks that say the same, and what every event carries."""

from collections import deque
from collections.abc import Callable, Iterable, Mapping, Sequence
from math import isfinite

from trainer.telemetry.events import Evaluation, Event, Metrics, Number, Phase, Resume
from trainer.telemetry.formats.row import STEP_LIMIT, BareEvent, Finding, Plain, Row, Start

RECENT = 8  # rows among which a rank may lag behind the others

# A frozen dataclass's __init__ takes longer than matching its line: the hot type's slots are set directly.
_NEW = object.__new__
_SEQ, _ATTEMPT, _T, _STEP, _VALUES, _NONFINITE, _U_STAT = (
    getattr(Metrics, name).__set__
    for name in ("seq", "attempt", "t", "step", "values", "nonfinite", "u_stat")
)


class RowLedger:
    """The events of one log, in order, each once.

    Attributes:
        rows: metric rows so far.
        ranks: rows left out because another rank had said them.
        total: planned steps as they were told last, 0 for unknown.
    """

    def __init__(self, clock: Callable[[], float]) -> None:
        self.rows = 0
        self.ranks = 0
        self._clock = clock
        self._seq = 0
        self._attempt = 1
        self.total = 0
        self._planned = 0  # steps that a start told, until a row has come
        self._resumed: int | None = None
        self.forget()

    def forget(self) -> None:
        """Another format goes on: its first row is compared with none before."""
        self._anew = False
        self._top = -1
        self._last = [-1, -1]  # step of the newest row: of training, of scores
        self._recent: deque[Row] = deque(maxlen=RECENT)

    def take(self, findings: Iterable[Finding]) -> list[Event]:
        """Events of what one line told."""
        out: list[Event] = []
        for finding in findings:
            if type(finding) is Row:
                self._row(finding, out)
            elif isinstance(finding, Start):
                self._start(finding)
            elif isinstance(finding, BareEvent):
                out.append(self._stamp(finding))
        return out

    def take_plain(self, rows: Sequence[Plain]) -> list[Event]:
        """The same for many rows of training, of which nearly all go on from the one before."""
        out: list[Event] = []
        add, t = out.append, self._clock()
        known = 0  # rows that `_recent` has, or that came before those
        for place, (step, values) in enumerate(rows):
            if step <= self._top or self._resumed is not None or self._planned or step > STEP_LIMIT:
                self._recent.extend(Row(*row) for row in rows[max(known, place - RECENT) : place])
                known = place + 1
                self._row(Row(step, values), out)
                continue
            bad: tuple[str, ...] = ()
            numbers: Mapping[str, Number] = values
            if not isfinite(sum(values.values())):  # type: ignore[arg-type]  # a plain row has no None
                numbers, bad = _numbers(values)
            self._top = self._last[0] = step
            self._seq += 1
            self.rows += 1
            event = _NEW(Metrics)
            _SEQ(event, self._seq)
            _ATTEMPT(event, self._attempt)
            _T(event, t)
            _STEP(event, step)
            _VALUES(event, numbers)
            _NONFINITE(event, bad)
            _U_STAT(event, "mean")
            add(event)
        self._anew = False
        self._recent.extend(Row(*row) for row in rows[max(known, len(rows) - RECENT) :])
        return out

    def _start(self, start: Start) -> None:
        self._anew = True
        if start.total:
            self._planned = start.total
        if start.resumed is not None:
            self._resumed = start.resumed

    def _stamp(self, finding: BareEvent) -> Event:
        step = None if finding.step is None else min(max(finding.step, 0), STEP_LIMIT)
        self._seq += 1
        return finding.kind(
            seq=self._seq, attempt=self._attempt, t=self._clock(), step=step, **finding.fields
        )

    def _row(self, row: Row, out: list[Event]) -> None:
        step, is_eval = row.step, row.is_eval
        if not 0 <= step <= STEP_LIMIT:
            return
        last = self._last[is_eval]
        if (step <= last and not (row.adds and not self._anew)) or self._resumed is not None:
            if not self._goes_on(row, last):
                self.ranks += 1
                return
            if self._resumed is not None or step < last or self._is_behind(row):
                self._restart(step, out)
        self._remember(row)
        if row.total or self._planned:
            self._plan(row.total or self._planned, out)
        if not is_eval:
            self.rows += 1
        out.append(self._event(row))

    def _goes_on(self, row: Row, last: int) -> bool:
        """Whether a row whose step does not grow tells something that no rank has told."""
        if self._anew or self._resumed is not None or (row.step < self._top and row.step == last):
            return True
        if not self._is_repeated(row):
            return True
        return row.step < last and not self.ranks

    def _is_behind(self, row: Row) -> bool:
        """Whether a row of the newest step of its kind begins anew, rather than adding to it."""
        return row.step < self._top or (self._anew and self._is_repeated(row))

    def _is_repeated(self, row: Row) -> bool:
        """Whether all that a row names was told of its step a moment ago."""
        names: set[str] = set()
        for one in self._recent:
            if one.step == row.step and one.is_eval == row.is_eval:
                names.update(one.values)
        return bool(names) and row.values.keys() <= names

    def _restart(self, step: int, out: list[Event]) -> None:
        """Rows from here on are of a new attempt; those before that lie further are superseded."""
        resumed, self._resumed = self._resumed, None
        if self._top >= 0:
            self._attempt += 1
        origin = max(step - 1, 0) if resumed is None else min(resumed, step)
        out.append(self._stamp(BareEvent(Resume, origin)))
        self.forget()

    def _remember(self, row: Row) -> None:
        step = row.step
        self._recent.append(row)
        if step > self._last[row.is_eval]:
            self._last[row.is_eval] = step
        if step > self._top:
            self._top = step
        self._anew = False

    def _plan(self, total: int, out: list[Event]) -> None:
        self._planned = 0
        if total != self.total and 0 < total <= STEP_LIMIT:
            self.total = total
            out.append(self._stamp(BareEvent(Phase, None, {"phase": "training", "total": total})))

    def _event(self, row: Row) -> Event:
        values, bad = _numbers(row.values)
        self._seq += 1
        t = row.t or self._clock()
        if row.is_eval:
            return Evaluation(
                seq=self._seq,
                attempt=self._attempt,
                t=t,
                step=row.step,
                values=values,
                nonfinite=bad,
                best=row.best,
            )
        event = _NEW(Metrics)
        _SEQ(event, self._seq)
        _ATTEMPT(event, self._attempt)
        _T(event, t)
        _STEP(event, row.step)
        _VALUES(event, values)
        _NONFINITE(event, bad)
        _U_STAT(event, row.u_stat)
        return event


def _numbers(values: Mapping[str, Number]) -> tuple[Mapping[str, Number], tuple[str, ...]]:
    """Values with null for what is not finite, and the names of those."""
    try:
        if isfinite(sum(values.values())):  # type: ignore[arg-type]  # a None among them is seen below
            return values, ()
    except TypeError:
        pass
    bad = tuple(name for name, value in values.items() if value is not None and not isfinite(value))
    return ({name: None if name in bad else value for name, value in values.items()} if bad else values), bad
