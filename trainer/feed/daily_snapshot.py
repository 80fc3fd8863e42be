"""When the snapshot of a day is due: at a local time, also where that falls in the middle of a shard."""

import time
from dataclasses import dataclass

from trainer.config.config_error import ConfigError


@dataclass(frozen=True, slots=True)
class SnapshotTime:
    """A local time of day, in minutes after midnight."""

    minutes: int

    def due(self, now: float, last: str, began: float = 0.0) -> str:
        """Return the date of the snapshot that is due at `now` (Unix seconds); "" if none is.

        Args:
            last: date of the last one, `2026-11-30`; "" for none.
            began: when the feed began, Unix seconds; a day whose time had passed by then has none.
        """
        today, passed = self._day(now)
        first_day, too_late = self._day(began)
        is_first_day = not last and too_late and today == first_day
        return today if passed and today > last and not is_first_day else ""

    def _day(self, at: float) -> tuple[str, bool]:
        """Return the local date, and whether its time of day has passed."""
        local = time.localtime(at)
        return time.strftime("%Y-%m-%d", local), local.tm_hour * 60 + local.tm_min >= self.minutes


def snapshot_time(text: str) -> SnapshotTime | None:
    """Return what `03:00` says; None of `off`.

    Raises:
        ConfigError: it is no time of day.
    """
    if text == "off":
        return None
    hours, _, minutes = text.partition(":")
    if not (hours.isdigit() and minutes.isdigit() and int(hours) < 24 and int(minutes) < 60):
        raise ConfigError(f"--snapshot-at {text}: not a time of day; say it as 03:00, or off")
    return SnapshotTime(int(hours) * 60 + int(minutes))
