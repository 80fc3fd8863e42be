"""Who waits on a host, as the verb `queue` tells it, and who holds what they wait for."""

from collections.abc import Mapping
from dataclasses import dataclass

from remote.protocol.keeping import WaitingLine
from tui.store.runs import RunRecord
from tui.store.store import RunKey

HOLDING = frozenset({"starting", "running", "stopping", "unsupervised"})


@dataclass(frozen=True, slots=True)
class WaitingRow:
    """A run that waits.

    Attributes:
        place: 1 is the next. held: until somebody lets it go. after: a run whose success it waits for.
        why: why those behind it pass it by; empty where it waits for its device alone.
    """

    run_id: str
    name: str
    device: str
    place: int
    held: bool
    after: str
    why: str


@dataclass(frozen=True, slots=True)
class HostQueue:
    """One answer of a host. `at`: monotonic seconds. `trouble`: why there is none."""

    at: float = 0.0
    rows: tuple[WaitingRow, ...] = ()
    trouble: str = ""


def host_queue(answer: WaitingLine, at: float) -> HostQueue:
    """What an answer says, as the screen shows it."""
    rows = (
        WaitingRow(row.run_id, row.name, row.device, row.place, row.held, row.after, row.why)
        for row in answer.runs
    )
    return HostQueue(at, tuple(rows), "; ".join(answer.troubles)[:300])


def holders(runs: Mapping[RunKey, RunRecord], host: str) -> list[RunRecord]:
    """The runs of a host that hold a device now."""
    return [run for key, run in runs.items() if key[0] == host and run.view.state in HOLDING]
