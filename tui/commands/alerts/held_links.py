"""A link that is back before long was no news; one that stays away is told, and its return after that."""

from tui.store.alerts import Alert

PATIENCE_S = 120.0


class HeldLinks:
    """Holds every alert of a lost link until the link has been away for `PATIENCE_S`."""

    def __init__(self) -> None:
        self._held: dict[str, Alert] = {}
        self._told: set[str] = set()

    def take(self, alert: Alert) -> bool:
        """Take an alert of a link; whether it is told now."""
        if alert.rule == "lost":
            self._held[alert.host] = alert
            return False
        self._held.pop(alert.host, None)
        was_told = alert.host in self._told
        self._told.discard(alert.host)
        return was_told

    def due(self, now: float) -> list[Alert]:
        """Those that have been away for long enough at `now`, monotonic seconds."""
        due = [alert for alert in self._held.values() if now - alert.at >= PATIENCE_S]
        for alert in due:
            del self._held[alert.host]
            self._told.add(alert.host)
        return due
