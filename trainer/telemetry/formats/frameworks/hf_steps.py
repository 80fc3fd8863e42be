"""At which step a dictionary of the Trainer was printed: by the bars around it, its epoch, and the plan."""

from trainer.telemetry.formats.bar import Bar

_EPOCHS_MAX = 1e9  # beyond it an epoch tells nothing of a step


class HfSteps:
    """What the bars and the epochs of one log tell of its steps.

    Attributes:
        planned: steps that a line told, 0 for none.
        epochs: epochs that a line told, 0 for none.
    """

    def __init__(self) -> None:
        self.planned = 0
        self.epochs = 0
        self._done: dict[int, int] = {}  # of the newest bar of each length
        self._length = 0  # of the bar that counts training steps
        self._a_epoch = 0.0  # steps an epoch
        self._counted = 0
        self._scored = 0
        self._last = 0

    @property
    def total(self) -> int:
        """Planned steps, 0 where unknown."""
        return self.planned or self._length

    @property
    def is_drawn(self) -> bool:
        """Whether a bar was drawn."""
        return bool(self._done)

    def see(self, bar: Bar) -> None:
        """A bar was drawn."""
        self._done[bar.total] = bar.done
        if len(self._done) > 64:
            del self._done[next(iter(self._done))]

    def is_training(self, bar: Bar) -> bool:
        """Whether a bar may count training steps: evaluation draws shorter ones."""
        return bar.total == (self._length or self.planned or bar.total)

    def before(self) -> int | None:
        """The step of the newest bar, None where none was drawn."""
        if self._length in self._done and self._newest() in (self._length, None):
            return self._done[self._length]
        if self.planned in self._done:
            return self._done[self.planned]
        if self._length in self._done:
            return self._done[self._length]
        return self._done[max(self._done)] if self._done else None

    def _newest(self) -> int | None:
        return next(reversed(self._done), None)

    def is_sure(self, before: int | None, epoch: float) -> bool:
        """Whether the bar before a row is at its step: its epoch says so."""
        if before is None or not self._a_epoch:
            return False
        return abs(before / self._a_epoch - epoch) <= _resolution(epoch) + 1e-3 * epoch

    def choose(self, before: int | None, behind: Bar | None, epoch: float | None, *, is_eval: bool) -> int:
        """The step of a row between two bars."""
        known = [step for step in (before, behind.done if behind is not None else None) if step is not None]
        ratio = self._a_epoch
        if not ratio and self.planned and self.epochs:
            ratio = self.planned / self.epochs
        if epoch is None or not 0 < epoch < _EPOCHS_MAX:
            return known[0] if known else self._count(is_eval)
        if ratio:
            return min(known, key=lambda step: abs(step - epoch * ratio)) if known else round(epoch * ratio)
        if not known:
            return self._count(is_eval)
        total = behind.total if behind is not None else self._length
        return min(known, key=lambda step: _unevenness(total * epoch / step) if step else 1.0)

    def settle(self, step: int, epoch: float | None, *, is_eval: bool) -> None:
        """A row was at that step."""
        if epoch and 0 < epoch < _EPOCHS_MAX and step > 0 and not is_eval:
            self._a_epoch = step / epoch
        if not is_eval:
            self._counted += 1
            for length, done in self._done.items():
                if done == step and length >= step:
                    self._length = length
        self._last = step

    def _count(self, is_eval: bool) -> int:
        """Rows are counted where nothing tells a step; scores alone are, too."""
        if is_eval and not self._counted:
            self._scored += 1
            return self._scored
        return max(self._counted + (not is_eval), 1)


def _unevenness(epochs: float) -> float:
    """How far a number of epochs is from a whole one."""
    return abs(epochs - round(epochs)) if epochs >= 0.5 else 1.0


def _resolution(epoch: float) -> float:
    """Half of what the last written digit of an epoch stands for."""
    decimals = len(repr(epoch).partition(".")[2]) if "e" not in repr(epoch) else 6
    return 0.6 * 10.0 ** -max(decimals, 2)
