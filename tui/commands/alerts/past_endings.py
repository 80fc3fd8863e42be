"""Which endings of runs are told that nobody watched: pure, on what hosts say of their runs."""

from collections.abc import Iterable

from remote.protocol.views import RunView

DAY_S = 24 * 3600.0
FIRST_MAX = 5
MARGIN_S = 60.0  # by which two clocks may differ; what was told is known by its key
FUTURE_S = 300.0


def endings_to_tell(views: Iterable[RunView], looked: float | None, host_wall: float) -> list[RunView]:
    """Runs that are over and whose end nobody was there to see, the oldest first.

    Args:
        views: runs of a host that were not known before.
        looked: when they were looked at last; None: never, then the newest few failures of a day count.
        host_wall: now; epoch seconds of the host's clock, as `looked`.
    """
    over = sorted((view for view in views if view.is_terminal), key=lambda view: view.since)
    if looked is None:
        new = [view for view in over if view.has_failed and host_wall - view.since < DAY_S]
        return new[-FIRST_MAX:]
    return [view for view in over if looked - MARGIN_S <= view.since <= host_wall + FUTURE_S]
