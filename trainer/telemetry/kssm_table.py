"""Recognising a K-SSM v3 training log: lines in, the events of our own runs out."""

import re
from collections.abc import Callable
from math import isfinite

from trainer.telemetry import kssm_lines as lines
from trainer.telemetry.events import Checkpoint, Evaluation, Event, Metrics, Note, Phase, Resume, Sample

SAMPLE_LIMIT = 4096
_PHASES = {"Dataset": "loading", "Model": "loading", "Training Loop": "training"}


class KssmTable:
    """A recogniser with memory: rows, evaluation blocks, checkpoints and resumes of one log.

    The log carries no times: events get `clock()` (seconds), 0 where the file is read after the fact.

    Attributes:
        rows: metric rows taken.
        seen: whether anything told that this is such a log (a header, a banner or a row).
        torn: 1 when the log ended inside a metric row.
    """

    def __init__(self, clock: Callable[[], float] = lambda: 0.0) -> None:
        self.rows = 0
        self.seen = False
        self.torn = 0
        self._clock = clock
        self._seq = 0
        self._attempt = 1
        self._step = 0  # of the last row
        self._last_line = ""
        self._resumed: int | None = None
        self._eval_step: int | None = None
        self._eval: dict[str, float] = {}
        self._best = False
        self._sample: list[str] | None = None
        self._checkpoint_step: int | None = None
        self._out: list[Event] = []
        self._matchers = self._patterns()

    def feed(self, line: str) -> list[Event]:
        """Events that this line completes. The newline is already gone."""
        return self._take(line, whole=True)

    def finish(self, rest: str = "") -> list[Event]:
        """The end of the log, with the text after its last newline: a row cut short is only counted."""
        events = self._take(rest, whole=False) if rest else []
        if rest.count("|") >= 1 and not events and self.seen and lines.HEADER.match(rest) is None:
            self.torn = 1
        self._end_sample()
        self._end_eval()
        return events + self._drain()

    def _take(self, line: str, *, whole: bool) -> list[Event]:
        row = lines.parse_row(line, whole=whole) if "|" in line else None
        if row is not None:
            self._row(row, line)
        elif self._sample is not None:
            self._in_sample(line)
        else:
            self._other(line)
        return self._drain()

    def _drain(self) -> list[Event]:
        out, self._out = self._out, []
        return out

    def _head(self, step: int | None) -> dict[str, int | float | None]:
        self._seq += 1
        return {"seq": self._seq, "attempt": self._attempt, "t": self._clock(), "step": step}

    def _row(self, row: lines.Row, line: str) -> None:
        """One metric row. A step that does not grow means that the log goes on in a new attempt."""
        self._end_sample()
        self._end_eval()
        self.seen = True
        if line == self._last_line:
            return  # logged twice: by the script and by the shell's redirection
        self._last_line = line
        if self._resumed is None and self.rows and row.step <= self._step:
            self._resumed = row.step - 1
        if self._resumed is not None:
            self._attempt += self.rows > 0
            self._out.append(Resume(**self._head(min(self._resumed, row.step))))  # type: ignore[arg-type]
            self._resumed = None
        self.rows += 1
        self._step = row.step
        head = self._head(row.step)
        values = row.values
        self._out.append(Metrics(**head, values=values, nonfinite=row.nonfinite, u_stat="mean"))  # type: ignore[arg-type]

    def _other(self, line: str) -> None:
        """Any line that is no row and no part of a sample."""
        if not line.strip():
            return
        for pattern, take in self._matchers:
            if (found := pattern.match(line)) is not None:
                take(*found.groups())
                return
        if lines.BANNER.search(line):
            self.seen = True

    def _patterns(self) -> tuple[tuple[re.Pattern[str], Callable[..., None]], ...]:
        return (
            (lines.RULE, self._rule),
            (lines.HEADER, self._header),
            (lines.EVAL_TITLE, self._eval_title),
            (lines.EVAL_VALUE, self._eval_value),
            (lines.NEW_BEST, self._new_best),
            (lines.SAMPLE_TEXT, self._sample_text),
            (lines.CHECKPOINT_TITLE, self._checkpoint_title),
            (lines.CHECKPOINT_SAVED, self._checkpoint_saved),
            (lines.RESUMED, self._resume),
            (lines.TRANSFERRED, self._transfer),
            (lines.TOKENISING, lambda split: self._phase("tokenising", split)),
            (lines.PROGRESS, self._progress),
            (lines.PARAMETERS, lambda count: self._note("info", f"{count} parameters")),
            (lines.SECTION, self._section),
            (lines.FAILURE, self._failure),
            (lines.FINISHED, lambda: self._phase("finished")),
        )

    def _rule(self) -> None:
        if self._eval:
            self._end_eval()

    def _header(self) -> None:
        self.seen = True

    def _eval_title(self, step: str) -> None:
        self._end_eval()
        self.seen = True
        self._eval_step = int(step)

    def _eval_value(self, name: str, text: str) -> None:
        if self._eval_step is not None:
            self._eval[lines.EVAL_NAMES[name]] = float(text)

    def _new_best(self) -> None:
        self._best = True

    def _end_eval(self) -> None:
        """Tell the evaluation once its numbers are complete."""
        if self._eval:
            bad = tuple(name for name, value in self._eval.items() if not isfinite(value))
            values = {name: None if name in bad else value for name, value in self._eval.items()}
            head = self._head(self._eval_step)
            self._out.append(Evaluation(**head, values=values, nonfinite=bad, best=self._best))  # type: ignore[arg-type]
        self._eval = {}
        self._best = False

    def _sample_text(self, text: str) -> None:
        self._end_eval()
        self._sample = [text]

    def _in_sample(self, line: str) -> None:
        """A sample holds raw newlines; its R, or a rule, ends it."""
        if (found := lines.SAMPLE_R.match(line)) is not None:
            self._end_sample(float(found.group(1)))
        elif len(line) >= 40 and lines.RULE.match(line):
            self._end_sample()
        elif self._sample is not None and sum(map(len, self._sample)) < SAMPLE_LIMIT:
            self._sample.append(line)

    def _end_sample(self, R: float | None = None) -> None:
        if self._sample is None:
            return
        text = "\n".join(self._sample).removesuffix("...")
        tones = () if R is None or not isfinite(R) else (R,)
        self._out.append(Sample(**self._head(self._eval_step or self._step), text=text, R=tones))  # type: ignore[arg-type]
        self._sample = None

    def _checkpoint_title(self, step: str) -> None:
        self._checkpoint_step = int(step)

    def _checkpoint_saved(self, what: str, path: str) -> None:
        """The step stands in the line before, in the file's name, or is the evaluation's."""
        self._end_eval()
        named = lines.CHECKPOINT_STEP.search(path)
        step = self._checkpoint_step
        if step is None:
            step = int(named.group(1)) if named and what == "Checkpoint" else self._eval_step or self._step
        self._checkpoint_step = None
        kind = "best" if what == "Best model" else "periodic"
        self._out.append(Checkpoint(**self._head(step), path=path, sha256="", kind=kind))  # type: ignore[arg-type]

    def _resume(self, step: str) -> None:
        self._resumed = int(step)

    def _transfer(self, step: str) -> None:
        self._resumed = 0
        self._note("info", f"weights of step {step}, fresh optimizer: steps count from 0 again")

    def _phase(self, phase: str, detail: str = "", done: int = 0, total: int = 0) -> None:
        self._out.append(Phase(**self._head(None), phase=phase, detail=detail, done=done, total=total))  # type: ignore[arg-type]

    def _progress(self, done: str, total: str) -> None:
        self._phase("tokenising", "chunks", lines.count(done), lines.count(total))

    def _section(self, _number: str, title: str) -> None:
        if (phase := _PHASES.get(title)) is not None:
            self._phase(phase, title.lower())

    def _note(self, level: str, message: str) -> None:
        self._out.append(Note(**self._head(None), level=level, message=message))  # type: ignore[arg-type]

    def _failure(self, message: str) -> None:
        self._note("error", message)
        self._phase("failed", message)
