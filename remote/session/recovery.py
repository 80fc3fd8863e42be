"""What the host had written while the link was lost: counted until every stream has caught up."""

from dataclasses import dataclass, field

from remote.session.updates import Recovered


@dataclass(slots=True)
class Recovery:
    """The catching up after one reconnect.

    Attributes:
        waiting: follower key -> bytes that are still missing; None until the host has said how many.
        seconds: how long the link was away; None until it is back.
    """

    waiting: dict[int, int | None] = field(default_factory=dict)
    seconds: float | None = None
    lines: int = 0
    _runs: set[str] = field(default_factory=set)

    def behind(self, key: int, count: int) -> None:
        """The host says how many bytes a stream lacks."""
        if key in self.waiting:
            self.waiting[key] = count

    def took(self, key: int, run_id: str, what: str, data: bytes) -> None:
        """Bytes of a stream came."""
        missing = self.waiting.get(key)
        if not missing:
            return
        part = data[:missing]
        self.waiting[key] = missing - len(part)
        if what == "log":
            self.lines += part.count(b"\n")
            self._runs.add(run_id)

    def gone(self, key: int) -> None:
        """A stream is over or not wanted any more."""
        self.waiting.pop(key, None)

    def result(self) -> Recovered | None:
        """What was recovered, once nothing is missing."""
        if self.seconds is None or any(missing is None or missing > 0 for missing in self.waiting.values()):
            return None
        return Recovered(self.seconds, self.lines, len(self._runs))
