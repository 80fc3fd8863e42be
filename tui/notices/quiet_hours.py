"""Hours in which nobody wants to be woken: what is found in them is told at their end."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from tui.notices.notice import Level, is_level

DAY_MIN = 24 * 60


@dataclass(frozen=True, slots=True)
class QuietHours:
    """From one minute of the day to another, by the laptop's local time, perhaps over midnight.

    Attributes:
        begins, ends: minutes after midnight; the same twice is no quiet at all.
        but: what is as grave as this is told all the same; None: nothing is.
    """

    begins: int = 0
    ends: int = 0
    but: Level | None = None

    def holds(self, level: Level, now: datetime) -> bool:
        """Whether a notice of this level waits at this local time."""
        if self.but is not None and is_level(level, self.but):
            return False
        return self._is_quiet(now)

    def over_at(self, now: datetime) -> datetime:
        """The local time at which these quiet hours end; `now` where it is not quiet."""
        if not self._is_quiet(now):
            return now
        end = now.replace(hour=self.ends // 60, minute=self.ends % 60, second=0, microsecond=0)
        return end if end > now else end + timedelta(days=1)

    def _is_quiet(self, now: datetime) -> bool:
        minute = now.hour * 60 + now.minute
        if self.begins <= self.ends:
            return self.begins <= minute < self.ends
        return minute >= self.begins or minute < self.ends
