"""One notice to one channel: how far it has come, and what one try brought."""

import math
from dataclasses import asdict, dataclass
from typing import Any, Literal

from remote.protocol.sanitise import clean_line

Progress = Literal["waiting", "sent", "given_up"]
PROGRESS: tuple[Progress, ...] = ("waiting", "sent", "given_up")
SAID_MAX = 200
FURTHEST = 1e11


@dataclass(frozen=True, slots=True)
class Trial:
    """What one try brought.

    Attributes:
        said: in words, with nothing of an address or of what the server answered in it.
        again: whether another try may help.
        after_s: seconds for which the server wants to be left alone, None where it says nothing.
    """

    ok: bool
    said: str
    again: bool = True
    after_s: float | None = None


@dataclass(frozen=True, slots=True)
class Delivery:
    """How far it has come.

    Attributes:
        tries: that were begun.
        first, due: epoch seconds of the first try (0 before it), and from which on the next may be made.
        said: what the newest try brought.
    """

    progress: Progress = "waiting"
    tries: int = 0
    first: float = 0.0
    due: float = 0.0
    said: str = ""

    def to_json(self) -> dict[str, Any]:
        """Plain values."""
        return asdict(self)


def read_delivery(raw: object) -> Delivery | None:
    """A delivery as a file has it; None where it makes no sense."""
    if not isinstance(raw, dict) or raw.get("progress") not in PROGRESS:
        return None
    tries, times = raw.get("tries"), [moment(raw.get(name)) for name in ("first", "due")]
    if not isinstance(tries, int) or isinstance(tries, bool) or not 0 <= tries < 1 << 31 or None in times:
        return None
    said = clean_line(str(raw.get("said", ""))[:SAID_MAX])
    return Delivery(raw["progress"], tries, times[0] or 0.0, times[1] or 0.0, said)


def moment(value: object) -> float | None:
    """Epoch seconds that a calendar can say, else None."""
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    return float(value) if math.isfinite(value) and 0 <= value <= FURTHEST else None
