"""Dictionaries as Hugging Face's Trainer prints them, and with it axolotl, swift, TRL and Unsloth."""

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from trainer.telemetry.formats.bar import NEEDLES, Bar, find_bar
from trainer.telemetry.formats.format import Format
from trainer.telemetry.formats.frameworks.hf_steps import HfSteps
from trainer.telemetry.formats.line import Line
from trainer.telemetry.formats.metric_names import name_all
from trainer.telemetry.formats.numbers import COUNT, count, number_of, whole
from trainer.telemetry.formats.pattern import lazy
from trainer.telemetry.formats.row import Finding, Plain, Row, Start

_VALUE = r"(?:'[^'\n]{0,200}'|[^\s,'\"{}\[\]()]{1,60})"
_DICT = lazy(rf"\{{'[^'\n]{{1,100}}': {_VALUE}(?:, '[^'\n]{{1,100}}': {_VALUE}){{0,400}}\}}")
_NUMPY = lazy(r"np\.float\d{2}\(([-+.\w]{1,40})\)")
_PAIR = lazy(rf"'([^'\n]{{1,100}})': ({_VALUE})")
_TOTAL = lazy(rf"\s*Total optimization steps\s*=\s*({COUNT})\s*")
_EPOCHS = lazy(rf"\s*Num Epochs\s*=\s*({COUNT})\s*.*")
_UNSLOTH = lazy(
    rf"[\\/|O^_ ]{{0,24}}(?:Num examples = {COUNT}\s*\|\s*)?Num Epochs = ({COUNT})"
    rf"\s*\|\s*Total steps = ({COUNT})\s*"
)
_REACHED = lazy(r"(\d{1,12})/(\d{1,12})")
_PLAIN = r"(-?\d{1,17}(?:\.\d{1,17})?(?:[eE][-+]?\d{1,3})?)"
_PLAIN_ALONE = lazy(_PLAIN)
_NAMES_LIMIT = 40
_TRAINED = ("loss", "reward", "rewards/chosen", "train_loss_step")
_SUMMARY = ("train_runtime", "total_flos", "train_samples_per_second")


@dataclass(slots=True)
class _Waiting:
    """A row whose step the next bar may tell."""

    values: Mapping[str, float | None]
    is_eval: bool
    t: float
    before: int | None


class _Known(NamedTuple):
    """A dictionary of plain numbers as it was printed before: most rows of a log have the same names."""

    fullmatch: Callable[[str], re.Match[str] | None]
    match: Callable[[bytes, int], re.Match[bytes] | None]  # of a line and its end, from a place on
    names: tuple[str, ...]
    is_eval: bool


class HfTrainer(Format):
    """The step stands in the bar before the dictionary or the one behind it, in the dictionary, or nowhere.

    Then it is worked out of the epoch and the planned steps, or else counted.
    """

    name = "HF Trainer"
    example = "{'loss': 2.2568, 'grad_norm': 0.5186, 'learning_rate': 0.00017, 'epoch': 0.5}"
    needles = (b"{'", b"Total optimization steps", b"Num Epochs", *NEEDLES)

    def __init__(self) -> None:
        self._steps = HfSteps()
        self._waiting: list[_Waiting] = []
        self._known: _Known | None = None
        self._total = -1  # that the row before told

    def take(self, line: Line) -> Sequence[Finding]:
        """See `Format`."""
        known = self._known
        if known is not None and (same := known.fullmatch(line.text)) is not None:
            values = dict(zip(known.names, map(float, same.groups()), strict=True))
            return self._told(values, known.is_eval, 0.0)
        text = line.plain
        if "np.float" in text:
            text = _NUMPY.sub(r"\1", text)
        found = _DICT.search(text) if "{'" in text else None
        if found is None:
            bar = find_bar(text)
            return self._drawn(bar) if bar is not None else self._planned(line.body)
        before, behind = find_bar(text[: found.start()]), find_bar(text[found.end() :])
        if before is None and text[: found.start()].strip() and line.body[:1] != "{":
            return ()  # a dictionary in a sentence
        if behind is None and text[found.end() :].strip():
            return ()
        if before is not None and not before.is_drawn:
            return ()
        rows = [*self._drawn(before)] if before is not None else []
        rows += self._printed(found.group(), line.time)
        return [*rows, *self._drawn(behind)] if behind is not None else rows

    def take_rows(self, block: bytes, place: int) -> tuple[list[Plain], int]:
        """See `Format`: rows of the names of the row before, in a log without bars."""
        rows: list[Plain] = []
        known = self._known
        if known is None or known.is_eval or self._steps.is_drawn or self._steps.total != self._total:
            return rows, place
        if any(one.is_eval or one.t for one in self._waiting):
            return rows, place
        names, match = known.names, known.match
        while (found := match(block, place)) is not None:
            for one in self._waiting:
                epoch = one.values["epoch"]
                step = self._steps.choose(None, None, epoch, is_eval=False)
                self._steps.settle(step, epoch, is_eval=False)
                rows.append((step, name_all(one.values)))
            values = dict(zip(names, map(float, found.groups()), strict=True))
            self._waiting = [_Waiting(values, False, 0.0, None)]
            place = found.end()
        return rows, place

    def take_last(self, line: Line) -> Sequence[Finding]:
        """See `Format`: a dictionary ends in a brace, and a bar in a bracket."""
        return self.take(line)

    def finish(self) -> Sequence[Finding]:
        """See `Format`."""
        return self._settle(None)

    def _planned(self, text: str) -> Sequence[Finding]:
        if (found := _EPOCHS.fullmatch(text)) is not None and "|" not in text:
            self._steps.epochs = count(found.group(1))
        elif (found := _TOTAL.fullmatch(text)) is not None:
            self._steps.planned = count(found.group(1))
            return (Start(total=self._steps.planned),)
        elif (found := _UNSLOTH.fullmatch(text)) is not None:
            self._steps.epochs, self._steps.planned = map(count, found.groups())
            return (Start(total=self._steps.planned),)
        return ()

    def _drawn(self, bar: Bar) -> Sequence[Finding]:
        """A bar: it may tell the step of rows before it."""
        if bar.values or not (bar.lead == "" or "train" in bar.lead.lower()):
            return ()
        rows = self._settle(bar) if self._waiting and self._steps.is_training(bar) else ()
        self._steps.see(bar)
        return rows

    def _printed(self, text: str, t: float) -> Sequence[Finding]:
        texts = dict(_PAIR.findall(text))
        reached = _REACHED.fullmatch(texts.get("global_step/max_steps", "").strip("'"))
        numbers = {name: number_of(value.strip("'")) for name, value in texts.items()}
        values = {name: value for name, value in numbers.items() if value is not None}
        if any(name in values for name in _SUMMARY):
            return (*self._settle(None), Start())
        is_eval = any(name.startswith("eval_") for name in values)
        if not is_eval and not any(name in values for name in _TRAINED):
            return ()
        step = whole(values.get("step", values.get("global_step")))
        if reached is not None:
            step, total = int(reached.group(1)), int(reached.group(2))
            self._steps.planned = total
        elif step is None and "epoch" not in values:
            return ()
        elif step is None and not {"step", "global_step"} & texts.keys():
            self._remember(texts, is_eval)
        return self._told(values, is_eval, t, step)

    def _remember(self, texts: Mapping[str, str], is_eval: bool) -> None:
        """Know the next dictionary with these names by its looks."""
        if self._known is None or self._known.names != tuple(texts):
            inner = ", ".join(f"'{re.escape(name)}': {_PLAIN}" for name in texts)
            if len(texts) <= _NAMES_LIMIT and all(map(_PLAIN_ALONE.fullmatch, texts.values())):
                line = rf"\{{{inner}\}}"
                plain = re.compile(line, re.ASCII), re.compile(f"{line}\n".encode())
                self._known = _Known(plain[0].fullmatch, plain[1].match, tuple(texts), is_eval)

    def _told(
        self, values: Mapping[str, float], is_eval: bool, t: float, step: int | None = None
    ) -> Sequence[Finding]:
        """What a row's numbers tell, with those that have waited."""
        earlier = self._settle(None)
        if step is not None:
            return (*earlier, *self._row(_Waiting(values, is_eval, t, step), step))
        one = _Waiting(values, is_eval, t, self._steps.before())
        if self._steps.is_sure(one.before, values["epoch"]):
            assert one.before is not None
            return (*earlier, *self._row(one, one.before))
        self._waiting.append(one)
        return earlier

    def _settle(self, behind: Bar | None) -> Sequence[Finding]:
        """Rows that were waiting: with the bar that came behind them, or without."""
        waiting, self._waiting = self._waiting, []
        rows: list[Finding] = []
        for one in waiting:
            epoch = one.values.get("epoch")
            step = self._steps.choose(one.before, behind, epoch, is_eval=one.is_eval)
            rows += self._row(one, step)
        return rows

    def _row(self, one: _Waiting, step: int) -> Sequence[Row]:
        self._steps.settle(step, one.values.get("epoch"), is_eval=one.is_eval)
        values = one.values
        if "step" in values or "global_step" in values:
            values = {name: value for name, value in values.items() if name not in ("step", "global_step")}
        self._total = self._steps.total
        return (Row(step, name_all(values), one.is_eval, self._total, one.t),)
