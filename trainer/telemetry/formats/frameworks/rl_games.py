"""rl_games: `fps step: 1000 fps step and policy inference: 900 fps total: 800 epoch: 1/500 frames: 0`."""

import re
from collections.abc import Sequence

from trainer.telemetry.formats.format import PatternFormat, Take
from trainer.telemetry.formats.numbers import NUMBER, number
from trainer.telemetry.formats.pattern import lazy
from trainer.telemetry.formats.row import Row

_ROW = lazy(
    rf"fps step: ({NUMBER}) fps step and policy inference: ({NUMBER}) +fps total: ({NUMBER}) "
    r"epoch: (\d{1,12})(?:/(-?\d{1,12}))?(?: frames: (\d{1,18})(?:/\d{1,18})?)?\s*"
)
_BEST = lazy(rf"saving next best rewards:\s+\[?\s*({NUMBER})\s*\]?\s*")
_MEAN = lazy(rf"(?:current training |mean_)rewards?:\s+\[?\s*({NUMBER})\s*\]?\s*")


class RlGames(PatternFormat):
    """Steps are epochs. A reward is told below the row of its epoch, and mostly the best alone."""

    name = "rl_games"
    example = "fps step: 9120 fps step and policy inference: 8800 fps total: 7600 epoch: 12/500 frames: 90112"
    axis = "epoch"
    needles = (b"fps step and policy inference:", b"saving next best rewards:", b"rewards:", b"reward:")

    def __init__(self) -> None:
        super().__init__()
        self._epoch = -1

    def patterns(self) -> tuple[tuple[re.Pattern[str], Take], ...]:
        """See `PatternFormat`."""
        return (_ROW, self._row), (_BEST, self._best), (_MEAN, self._mean)

    def _row(self, found: re.Match[str]) -> Sequence[Row]:
        step, inference, fps, epoch, planned, frames = found.groups()
        self._epoch = int(epoch)
        values: dict[str, float | None] = {
            "fps": number(fps), "fps step": number(step), "fps inference": number(inference)
        }  # fmt: skip
        if frames is not None:
            values["frames"] = float(frames)
        total = int(planned or 0)
        return (Row(self._epoch, values, total=max(total, 0)),)

    def _best(self, found: re.Match[str]) -> Sequence[Row]:
        return self._told("best_reward", found.group(1))

    def _mean(self, found: re.Match[str]) -> Sequence[Row]:
        return self._told("reward", found.group(1))

    def _told(self, name: str, text: str) -> Sequence[Row]:
        return (Row(self._epoch, {name: number(text)}, adds=True),) if self._epoch >= 0 else ()
