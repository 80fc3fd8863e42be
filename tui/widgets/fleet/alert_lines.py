"""The newest alerts below the Fleet table: when, what, which run, on which host."""

import time
from collections.abc import Sequence

from rich.text import Text

from tui.store.alerts import Alert
from tui.theme import DIM, PLAIN, hue
from tui.widgets import lines

LOOKS = {"error": ("✖", hue("red")), "warning": ("!", hue("amber")), "information": ("·", PLAIN)}


def alert_lines(alerts: Sequence[Alert], now: float, wall: float) -> list[Text]:
    """A line an alert; `now`, `wall`: monotonic and epoch seconds."""
    return [_line(alert, wall - (now - alert.at)) for alert in alerts]


def _line(alert: Alert, at: float) -> Text:
    """The time first, the run and the host last; a host that its own text begins with is not named twice."""
    mark, style = LOOKS[alert.level]
    where = f"{alert.run_id} on {alert.host}" if alert.run_id else alert.host
    told = not alert.run_id and alert.host in alert.text
    clock = time.strftime("%H:%M", time.localtime(at))
    return lines.line(
        (f"{clock}  ", DIM), (f"{mark} {alert.text}", style), ("" if told else f"  {where}", DIM)
    )
