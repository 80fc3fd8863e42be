"""What a screen may ask of the cockpit around it: the picture, the clock, the acts."""

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Protocol

from remote.hosts.host import Host
from remote.protocol.errors import CallError, Question
from tui.keys import Where
from tui.store.jobs import HostJob
from tui.store.metrics.grid_choice import GridChoice
from tui.store.store import RunKey, Store

if TYPE_CHECKING:
    from remote.actions import Outcome, StartRequest
    from remote.protocol.results import Backfill, ProcessList

OnOutcome = Callable[["Outcome"], None]
OnProcesses = Callable[["ProcessList | CallError"], None]
OnPiece = Callable[["Backfill | CallError"], None]


class Acts(Protocol):
    """What keys do to hosts. Every method returns at once; the outcome comes on the screen's thread."""

    def start(self, host: str, request: "StartRequest", on_outcome: OnOutcome) -> None:
        """Start a run."""

    def resume(self, host: str, run_id: str, on_outcome: OnOutcome) -> None:
        """Resume a run from its newest whole checkpoint."""

    def stop(self, host: str, run_id: str, on_outcome: OnOutcome) -> None:
        """Ask a run to save and end."""

    def end(self, host: str, pid: int, start: int, on_outcome: OnOutcome) -> None:
        """End one process that is no run, if it still is that one."""

    def kill(self, host: str, run_id: str, on_outcome: OnOutcome) -> None:
        """End a run now."""

    def archive(self, host: str, run_id: str, on_outcome: OnOutcome) -> None:
        """Take a run that is over out of the list."""

    def trash(self, host: str, run_id: str, on_outcome: OnOutcome) -> None:
        """Put a run that is over into the trash of its host."""

    def reap(self, host: str, run_id: str, pid: int, start: int, on_outcome: OnOutcome) -> None:
        """End one process that its run left behind."""

    def reconnect(self, host: str) -> None:
        """Try the link now."""

    def reply(self, host: str, question: Question, text: str) -> None:
        """Hand on what the operator answered; the link is tried again."""

    def processes(self, host: str, on_answer: OnProcesses) -> None:
        """Ask a host for its processes and locks."""

    def older(self, host: str, run_id: str, file: str, before: int, on_piece: OnPiece) -> None:
        """Ask for what stands before a place in a run's log."""

    def hosts(self) -> Sequence[str]:
        """The names of all hosts."""


class Works(Protocol):
    """Work on hosts themselves. Every method returns at once; lines and ends come on the screen's thread."""

    def add(self, host: Host, on_done: Callable[[Host | str], None]) -> None:
        """Write a host into hosts.yaml; `on_done` gets it back, or why it was not written."""

    def test(self, job: HostJob) -> None:
        """Walk the way to the host, a line a step."""

    def deploy(self, job: HostJob) -> None:
        """Bring Photinus to the host, a line of progress at a time."""

    def doctor(self, job: HostJob) -> None:
        """What the host's own doctor finds, in words."""


class ChartChoice(Protocol):
    """What somebody chose for charts, by the kind of run. `trouble`: why that is not kept."""

    trouble: str

    def of(self, kind: str) -> GridChoice:
        """What was chosen for runs of a kind."""

    def put(self, kind: str, choice: GridChoice) -> None:
        """Remember it; the usual one forgets."""


class Bridge(Protocol):
    """The cockpit, as its screens see it."""

    store: Store
    acts: Acts
    work: Works
    charts: ChartChoice
    read_only: bool

    def now(self) -> float:
        """Monotonic seconds."""

    def wall(self) -> float:
        """Epoch seconds."""

    def show(self, where: Where) -> None:
        """Show one of the screens that need no run."""

    def open_run(self, key: RunKey | None) -> None:
        """Show the Run screen of this run, or of the one opened last."""

    def open_log(self, key: RunKey | None) -> None:
        """Show the log of this run, or of the one opened last."""

    def to_terminal(self, sequence: str) -> None:
        """Write a control sequence of ours to the terminal."""

    def open_when_known(self, run_id: str) -> None:
        """Show the Run screen of this run as soon as its host has listed it."""

    def add_host(self, host: Host) -> None:
        """Know one more host from now on, and connect to it."""

    def ask(self, host: str | None) -> bool:
        """Open the dialog of what this host asks (None: the first that asks); whether one does."""

    def set_read_only(self, on: bool) -> None:
        """Let keys change hosts, or not."""
