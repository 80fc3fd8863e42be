"""One host as this client knows it: the link, and what its agent said of the machine."""

from collections import deque
from dataclasses import dataclass, field

from remote.link import LinkState
from remote.view import HostHello


@dataclass(slots=True)
class HostRecord:
    """Three facts that are never mixed: the link is here, run states are in the runs, ages are worked out.

    Attributes:
        heard_at: monotonic seconds at which anything was heard from the host; None before that.
        load: the newest telemetry; a missing or None value is unknown, never zero.
        wall_ahead: seconds by which the host's clock is ahead of ours, None before it was told.
    """

    name: str
    link: LinkState = field(default_factory=LinkState)
    heard_at: float | None = None
    hello: HostHello | None = None
    load: dict[str, object] = field(default_factory=dict)
    talk: deque[str] = field(default_factory=lambda: deque(maxlen=100))
    wall_ahead: float | None = None
    runs_seen: bool = False
    version: int = 0

    @property
    def devices(self) -> tuple[str, ...]:
        """Accelerators and the processor, by the names that are locked."""
        return self.hello.devices if self.hello else ()

    def reading(self, name: str) -> float | None:
        """One number of the telemetry, None where unknown."""
        value = self.load.get(name)
        return float(value) if isinstance(value, int | float) and not isinstance(value, bool) else None

    @property
    def gpus(self) -> list[dict[str, object]]:
        """One mapping an accelerator that could be read."""
        found = self.load.get("gpus")
        return [gpu for gpu in found if isinstance(gpu, dict)] if isinstance(found, list) else []
