"""What a screen may ask of the cockpit around it: the picture, the clock, the acts."""

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

from remote.hosts.host import Host
from remote.protocol.errors import CallError, Question
from tui.keys import Where
from tui.store.compare.baseline_file import Baseline
from tui.store.compare.comparison import Comparison
from tui.store.compare.config_sheet import ConfigSheets
from tui.store.fleet.tour import Tour
from tui.store.jobs import HostJob
from tui.store.kept.put_away import PutAwayRun
from tui.store.kept.shelf import CheckpointShelf, Transfer
from tui.store.metrics.grid_choice import GridChoice
from tui.store.past.replay import Replay
from tui.store.store import RunKey, Store

if TYPE_CHECKING:
    from remote.actions import Outcome, StartRequest
    from remote.protocol.keeping import WaitingLine
    from remote.protocol.results import Backfill, ProcessList
    from remote.protocol.trained import FeedReport, RetentionAnswer
    from remote.protocol.views import RunDetails

OnOutcome = Callable[["Outcome"], None]
OnProcesses = Callable[["ProcessList | CallError"], None]
OnPlan = Callable[["RetentionAnswer | CallError"], None]
OnFeed = Callable[["FeedReport | CallError"], None]
OnLine = Callable[["WaitingLine | CallError"], None]
OnDetails = Callable[["RunDetails | CallError"], None]
OnPiece = Callable[["Backfill | CallError"], None]
OnPutAway = Callable[["Sequence[PutAwayRun] | CallError"], None]
OnWords = Callable[[str], None]


class Acts(Protocol):
    """What keys do to hosts. Every method returns at once; the outcome comes on the screen's thread."""

    def start(self, host: str, request: "StartRequest", on_outcome: OnOutcome) -> None:
        """Start a run."""

    def resume(self, host: str, run_id: str, on_outcome: OnOutcome) -> None:
        """Resume a run from its newest whole checkpoint."""

    def resume_from(self, host: str, run_id: str, checkpoint: str, on_outcome: OnOutcome) -> None:
        """Resume a run from one of its checkpoints."""

    def save(self, host: str, run_id: str, on_outcome: OnOutcome) -> None:
        """Have a run save a checkpoint now, and go on."""

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

    def put_away(self, host: str, on_answer: OnPutAway) -> None:
        """Ask a host what is archived there, or lies in its trash."""

    def restore(self, host: str, run_id: str, on_outcome: OnOutcome) -> None:
        """Bring a run back into the list, from either."""

    def label(
        self,
        host: str,
        run_id: str,
        on_outcome: OnOutcome,
        *,
        name: str | None = None,
        note: str | None = None,
        add: Sequence[str] = (),
        remove: Sequence[str] = (),
    ) -> None:
        """Change the words about a run; None leaves as they are, an empty text takes away."""

    def clone(self, host: str, run_id: str, changes: Sequence[str], on_outcome: OnOutcome) -> None:
        """Start a run like another one, with `KEY=VALUE` on top; it waits where the device is taken."""

    def move_run(self, host: str, run_id: str, to: str, on_words: OnWords, on_outcome: OnOutcome) -> None:
        """Stop a run, copy it to another host, and resume it there; `on_words`: how far that is."""

    def reap(self, host: str, run_id: str, pid: int, start: int, on_outcome: OnOutcome) -> None:
        """End one process that its run left behind."""

    def reconnect(self, host: str) -> None:
        """Try the link now."""

    def reply(self, host: str, question: Question, text: str) -> None:
        """Hand on what the operator answered; the link is tried again."""

    def processes(self, host: str, on_answer: OnProcesses) -> None:
        """Ask a host for its processes and locks."""

    def queue(self, host: str, on_line: OnLine) -> None:
        """Ask a host who waits."""

    def change_queue(
        self,
        host: str,
        run_id: str,
        on_line: OnLine,
        *,
        place: int | None = None,
        held: bool | None = None,
        after: str | None = None,
    ) -> None:
        """Give a run that waits another place, hold it or let it go, or have it wait for another run."""

    def details(self, host: str, run_id: str, on_answer: OnDetails) -> None:
        """Ask a host for all that it knows of a run."""

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


class Shelves(Protocol):
    """Checkpoints of runs. Every method returns at once; what it calls is called on the screen's thread."""

    def read(self, host: str, run_id: str, on_shelf: Callable[[CheckpointShelf], None]) -> None:
        """What the host and this machine have of a run."""

    def pull(self, transfer: Transfer, on_end: Callable[[], None]) -> None:
        """Fetch one checkpoint."""

    def verify(self, transfer: Transfer, on_end: Callable[[], None]) -> None:
        """Prove every byte of the copy on this machine."""

    def prove(self, transfer: Transfer, on_end: Callable[[], None]) -> None:
        """Have the host prove every byte of its own."""

    def pin(self, host: str, run_id: str, name: str, pinned: bool, on_outcome: OnOutcome) -> None:
        """Keep a checkpoint whatever the policy says, or leave it to the policy again."""

    def plan(self, host: str, run_id: str, on_plan: OnPlan) -> None:
        """Ask what the run's policy would let go."""

    def retain(self, host: str, run_id: str, plan: str, on_outcome: OnOutcome) -> None:
        """Let go exactly what that plan said."""

    def restore(self, host: str, run_id: str, on_outcome: OnOutcome) -> None:
        """Undo the last retention."""

    def feed(self, host: str, run_id: str, on_feed: OnFeed) -> None:
        """Ask for the ledger of a run that is fed."""

    def wish(self, host: str, run_id: str, words: Sequence[str], on_outcome: OnOutcome) -> None:
        """Ask something of a feed: `pause`, `resume`, or `skip` and `retry` with a shard."""


class KeptNumbers(Protocol):
    """The baselines that there are."""

    def names(self) -> Sequence[str]:
        """All of them."""

    def of(self, names: tuple[str, ...]) -> Mapping[str, Baseline]:
        """These; one that cannot be read says why."""

    def keep(self, name: str, text: str) -> Path:
        """Write one; raises OSError."""


class Bridge(Protocol):
    """The cockpit, as its screens see it."""

    store: Store
    acts: Acts
    work: Works
    charts: ChartChoice
    baselines: KeptNumbers
    shelves: Shelves
    comparison: Comparison
    sheets: ConfigSheets
    read_only: bool
    is_light: bool
    tour: Tour | None
    replay: Replay | None

    def set_light(self, on: bool) -> None:
        """The light theme, or the dark one."""

    def now(self) -> float:
        """Monotonic seconds."""

    def wall(self) -> float:
        """Epoch seconds."""

    def show(self, where: Where) -> None:
        """Show one of the screens that need no run."""

    def compare(self, marked: Sequence[RunKey], chosen: RunKey | None) -> None:
        """Show the marked runs over one another, else those before; the chosen one too if open or alone."""

    def open_checkpoints(self, key: RunKey | None) -> None:
        """Show the checkpoints of this run, or of the one opened last."""

    def open_run(self, key: RunKey | None) -> None:
        """Show the Run screen of this run, or of the one opened last."""

    def open_log(self, key: RunKey | None) -> None:
        """Show the log of this run, or of the one opened last."""

    def open_logs(self, keys: Sequence[RunKey]) -> None:
        """Show the logs of these runs as one."""

    def to_terminal(self, sequence: str) -> None:
        """Write a control sequence of ours to the terminal."""

    def open_host(self, name: str) -> None:
        """Show this host among all of them."""

    def open_when_known(self, run_id: str) -> None:
        """Show the Run screen of this run as soon as its host has listed it."""

    def add_host(self, host: Host) -> None:
        """Know one more host from now on, and connect to it."""

    def ask(self, host: str | None) -> bool:
        """Open the dialog of what this host asks (None: the first that asks); whether one does."""

    def set_read_only(self, on: bool) -> None:
        """Let keys change hosts, or not."""
