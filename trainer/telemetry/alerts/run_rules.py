"""Every rule on what one run says: rows in, firings out."""

from collections.abc import Iterable, Mapping

from trainer.telemetry.alerts.locked import LockedRule
from trainer.telemetry.alerts.occasion import Firing, Occasion
from trainer.telemetry.alerts.own_rules import OwnRule, OwnRules
from trainer.telemetry.alerts.plateau import PlateauRule
from trainer.telemetry.alerts.rising import RisingRule
from trainer.telemetry.alerts.spike import SpikeRule
from trainer.telemetry.bands import Bands
from trainer.telemetry.events import Number
from trainer.telemetry.metric_kinds import falls

LARGEST = 1e30  # beyond it, as for nan, a number says nothing that can be compared
FINITE_ROWS = 20  # after them a number that is none is another occasion
CLAMPED_ROWS = 20
FIRST = (
    "ce",
    "loss",
    "total",
    "val_ce",
    "val_loss",
)  # one loss is watched, else each event is told for all of them
LOWEST, HIGHEST = 0.11, 9.9  # of u, where no health file says another
ENDS_SHARE = 0.5


class RunRules:
    """The rules of one run. A new attempt begins anew: `forget`."""

    def __init__(self, bands: Bands | None = None, own: Iterable[OwnRule] = ()) -> None:
        self._bands, self._own = bands, tuple(own)
        self._idle = Occasion()
        self.forget()

    def forget(self, step: int = -1) -> None:
        """Rows after this, past `step`, are compared with none before; others were told already."""
        self._top = {True: step, False: step}  # of training, of scores
        self._own_rows, self._own_scores = OwnRules(self._own), OwnRules(self._own)
        self._finite = Occasion(ends=FINITE_ROWS)
        self._clamped = Occasion(begins=CLAMPED_ROWS, ends=CLAMPED_ROWS)
        self._warfare = Occasion(begins=2, ends=2)
        self._loss = self._held_out = ""
        self._spike, self._plateau, self._rising = SpikeRule(""), PlateauRule(""), RisingRule("")
        zones = self._bands.metrics.get("R") if self._bands is not None else None
        self._locked = LockedRule(zones) if zones is not None else None

    def row(self, step: int, values: Mapping[str, Number], bad: tuple[str, ...] = ()) -> list[Firing]:
        """A row of training; `bad` names what was nan or inf. A repeated one counts for nothing."""
        if step < self._top[True]:
            return []  # a file is read again from its beginning
        self._top[True] = step
        found: list[Firing] = []
        if (bad or self._finite.is_on) and (one := self._not_finite(step, bad)):
            found.append(one)
        u, tone = values.get("u_val"), values.get("R")
        if u is not None and -LARGEST <= u <= LARGEST and (one := self._u(step, u, values)):
            found.append(one)
        if self._locked is not None and tone is not None and -LARGEST <= tone <= LARGEST:
            found += filter(None, (self._locked.row(step, tone),))
        if not self._loss and (name := _main_loss(values)):
            self._loss, self._spike, self._plateau = name, SpikeRule(name), PlateauRule(name)
        value = values.get(self._loss)
        if value is not None and -LARGEST <= value <= LARGEST:
            if one := self._spike.row(step, value):
                found.append(one)
            if one := self._plateau.row(step, value):
                found.append(one)
        if self._own:
            found += self._own_rows.row(step, values)
        return found

    def scores(self, step: int, values: Mapping[str, Number], bad: tuple[str, ...] = ()) -> list[Firing]:
        """Scores of an evaluation."""
        if step < self._top[False]:
            return []
        self._top[False] = step
        found: list[Firing | None] = [self._not_finite(step, bad)] if bad else []
        if not self._held_out and (name := _main_loss(values)):
            self._held_out, self._rising = name, RisingRule(name)
        value = values.get(self._held_out)
        if value is not None and abs(value) <= LARGEST:
            found.append(self._rising.row(step, value))
        found += self._own_scores.row(step, values)
        return list(filter(None, found))

    def probe(self, step: int | None, values: Mapping[str, Number]) -> list[Firing]:
        """A look into the model: what the penalty's gradient does beside that of the loss."""
        ratio = values.get("warfare_ratio")
        if (
            ratio is None
            or not abs(ratio) <= LARGEST
            or not self._warfare.fires(ratio >= 1.0, good=ratio < 0.8)
        ):
            return []
        return [Firing("warfare", "warning", f"the penalty's gradient is {ratio:.2g} times the loss's", step)]

    def silence(self, idle_s: float | None, limit_s: float, step: int | None) -> list[Firing]:
        """For how long nothing was said, None where that is not known, and for how long it may be."""
        if idle_s is None or not self._idle.fires(idle_s >= limit_s, good=idle_s < limit_s / 2):
            return []
        return [Firing("stall", "error", f"no row for {idle_s:.0f} s, {limit_s:.0f} s is its limit", step)]

    def _not_finite(self, step: int, bad: tuple[str, ...]) -> Firing | None:
        if not self._finite.fires(bool(bad)):
            return None
        return Firing("nan", "error", f"{', '.join(bad)} not finite at step {step}", step)

    def _u(self, step: int, u: float, values: Mapping[str, Number]) -> Firing | None:
        low, high = values.get("u_low") or 0.0, values.get("u_high") or 0.0
        ends = (low if low <= 1 else 0.0) + (high if high <= 1 else 0.0)
        is_clamped = not LOWEST < u < HIGHEST or ends > ENDS_SHARE
        if not is_clamped and not self._clamped.is_open:
            return None
        if not self._clamped.fires(is_clamped):
            return None
        where = "at its ends" if LOWEST < u < HIGHEST else f"pinned at {u:.3g}"
        return Firing("clamp", "warning", f"u is {where} for {CLAMPED_ROWS} rows", step)


def _main_loss(values: Mapping[str, Number]) -> str:
    """The loss that stands for all that a row tells, empty where it tells none."""
    for name in FIRST:
        if name in values:
            return name
    return next((name for name in values if falls(name)), "")
