"""K-SSM v3: its table of `step | total | ce | reg | R | u_val | grad_norm`, and the blocks between rows."""

import re
from collections.abc import Callable, Sequence
from math import isfinite

from trainer.telemetry.events import Checkpoint, Note, Phase, Sample
from trainer.telemetry.formats.format import Format
from trainer.telemetry.formats.kssm import kssm_v3_lines as lines
from trainer.telemetry.formats.line import Line
from trainer.telemetry.formats.row import BareEvent, Finding, Plain, Row, Start

SAMPLE_LIMIT = 4096
BEHIND_ROW = 4  # lines in which an evaluation or a checkpoint begins
IN_BLOCK = 64
BEFORE_TABLE = 4096
_PHASES = {"Dataset": "loading", "Model": "loading", "Training Loop": "training"}
_BEGINS_BLOCK = frozenset({b"", b"\n", b" ", b"=", b"[", "💾".encode()[:1]})
_Match = tuple[re.Pattern[str], Callable[..., None]]


class KssmV3(Format):
    """A reader with memory: rows, evaluation blocks, checkpoints and resumes of one log."""

    name = "kssm-v3"
    example = "    20 |  56.769 |  56.660 |  0.1086 | 0.0566 |   0.878 |   16.009"
    needles = (b"|", b"K-SSM")
    seek = lines.SOUGHT

    def __init__(self) -> None:
        self._near = 0  # lines that are looked at, whatever they hold
        self._rows = 0
        self._step = 0  # of the last row
        self._eval_step: int | None = None
        self._eval: dict[str, float] = {}
        self._best = False
        self._sample: list[str] | None = None
        self._checkpoint_step: int | None = None
        self._out: list[Finding] = []
        self._matchers = self._patterns()

    def take(self, line: Line) -> Sequence[Finding]:
        """See `Format`."""
        return self._take(line, whole=True)

    def take_last(self, line: Line) -> Sequence[Finding]:
        """See `Format`: a row cut short is not believed."""
        return self._take(line, whole=False)

    def take_rows(self, block: bytes, place: int) -> tuple[list[Plain], int]:
        """See `Format`: those without anything between, before or behind them."""
        if self._sample is not None or self._eval:
            return [], place
        rows, place = lines.parse_rows(block, place)
        if rows:
            self._rows += len(rows)
            self._step = rows[-1][0]
            self._near = BEHIND_ROW if block[place : place + 1] in _BEGINS_BLOCK else 0
            self.greedy = self._near > 0
        return rows, place

    def finish(self) -> Sequence[Finding]:
        """See `Format`."""
        self._end_sample()
        self._end_eval()
        return self._drain()

    def _take(self, line: Line, *, whole: bool) -> Sequence[Finding]:
        text = line.text
        if " | " in text:
            row = lines.parse_row(text, whole=whole) or lines.parse_row(line.body, whole=whole)
            if row is not None:
                return self._row(row)
        self._near -= self._near > 0
        if self._sample is not None:
            self._in_sample(text)
        elif text and not text.isspace():
            self._other(text, line)
        self.greedy = self._near > 0
        return self._drain() if self._out else ()

    def _drain(self) -> Sequence[Finding]:
        out, self._out = self._out, []
        return out

    def _row(self, row: Row) -> Sequence[Finding]:
        if self._sample is not None or self._eval:
            self._end_sample()
            self._end_eval()
        self._near = BEHIND_ROW
        self.greedy = True
        self._rows += 1
        self._step = row.step
        if self._out:
            self._out.append(row)
            return self._drain()
        return (row,)

    def _other(self, text: str, line: Line) -> None:
        """Any line that is no row and no part of a sample."""
        if lines.OURS.match(text) is None and lines.OURS.match(line.body) is None:
            return
        body = line.body
        for pattern, take in self._matchers:
            if (found := pattern.match(text) or pattern.match(body)) is not None:
                take(*found.groups())
                return

    def _patterns(self) -> tuple[_Match, ...]:
        return (
            (lines.RULE, self._rule),
            (lines.HEADER, self._header),
            (lines.BANNER, self._banner),
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
            (lines.FINISHED, lambda: self._phase("finished") if self._rows else None),
        )

    def _rule(self) -> None:
        if self._eval:
            self._end_eval()

    def _header(self) -> None:
        self._out.append(Start())

    def _banner(self) -> None:
        self._near = BEFORE_TABLE
        self._out.append(Start())

    def _eval_title(self, step: str) -> None:
        self._end_eval()
        self._near = max(self._near, IN_BLOCK)
        self._eval_step = int(step)

    def _eval_value(self, name: str, text: str) -> None:
        if self._eval_step is not None:
            self._eval[lines.EVAL_NAMES[name]] = float(text)

    def _new_best(self) -> None:
        self._best = True

    def _end_eval(self) -> None:
        """Tell the evaluation once its numbers are complete."""
        if self._eval and self._eval_step is not None:
            self._out.append(Row(self._eval_step, self._eval, is_eval=True, best=self._best))
        self._eval = {}
        self._best = False

    def _sample_text(self, text: str) -> None:
        if self._eval_step is None:
            return
        self._end_eval()
        self._near = max(self._near, IN_BLOCK)
        self._sample = [text]

    def _in_sample(self, line: str) -> None:
        """A sample holds raw newlines; its R, a rule, or too much of it ends it."""
        assert self._sample is not None
        if (found := lines.SAMPLE_R.match(line)) is not None:
            self._end_sample(float(found.group(1)))
        elif (len(line) >= 40 and lines.RULE.match(line)) or self._near == 0:
            self._end_sample()
        elif sum(map(len, self._sample)) < SAMPLE_LIMIT:
            self._sample.append(line)

    def _end_sample(self, R: float | None = None) -> None:
        if self._sample is None:
            return
        text = "\n".join(self._sample).removesuffix("...")
        tones = () if R is None or not isfinite(R) else (R,)
        self._out.append(BareEvent(Sample, self._eval_step or self._step, {"text": text, "R": tones}))
        self._sample = None

    def _checkpoint_title(self, step: str) -> None:
        self._near = max(self._near, BEHIND_ROW)
        self._checkpoint_step = int(step)

    def _checkpoint_saved(self, what: str, path: str) -> None:
        """The step stands in the line before, in the file's name, or is the evaluation's."""
        if not self._rows and self._eval_step is None:
            return
        self._end_eval()
        named = lines.CHECKPOINT_STEP.search(path)
        step = self._checkpoint_step
        if step is None:
            step = int(named.group(1)) if named and what == "Checkpoint" else self._eval_step or self._step
        self._checkpoint_step = None
        kind = "best" if what == "Best model" else "periodic"
        self._out.append(BareEvent(Checkpoint, step, {"path": path, "sha256": "", "kind": kind}))

    def _resume(self, step: str) -> None:
        self._out.append(Start(resumed=int(step)))

    def _transfer(self, step: str) -> None:
        self._out.append(Start(resumed=0))
        self._note("info", f"weights of step {step}, fresh optimizer: steps count from 0 again")

    def _phase(self, phase: str, detail: str = "", done: int = 0, total: int = 0) -> None:
        self._out.append(
            BareEvent(Phase, None, {"phase": phase, "detail": detail, "done": done, "total": total})
        )

    def _progress(self, done: str, total: str) -> None:
        self._phase("tokenising", "chunks", lines.count(done), lines.count(total))

    def _section(self, _number: str, title: str) -> None:
        if (phase := _PHASES.get(title)) is not None:
            self._phase(phase, title.lower())

    def _note(self, level: str, message: str) -> None:
        self._out.append(BareEvent(Note, None, {"level": level, "message": message}))

    def _failure(self, message: str) -> None:
        """Whether the run has failed is its supervisor's word, not that of a line."""
        if self._rows:
            self._note("error", message)
