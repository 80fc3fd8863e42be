"""What each verb answers, and what an agent says unasked: made on the host, checked once where it arrives."""

from collections.abc import Mapping
from typing import Annotated, Any, ClassVar, Literal, TypeAlias

import msgspec
from msgspec import Meta

from remote.protocol.finding import LEVELS, Finding, Level
from remote.protocol.values import Cursor, Finite, Size
from remote.protocol.version import Verdict
from remote.protocol.views import AuditEntry, RunView

N_MAX = 524288
Standing = Literal["live", "orphan", "foreign"]
Number: TypeAlias = int | Finite


class VerbResult(msgspec.Struct, frozen=True, kw_only=True):
    """What the answers have in common: fields of a later version are passed over."""


class NoResult(VerbResult, frozen=True, kw_only=True):
    """It was done, and there is nothing to say."""


class Pong(VerbResult, frozen=True, kw_only=True):
    """The number that was sent, and the host's clock, epoch seconds."""

    n: int
    wall: Finite


class HostStatus(VerbResult, frozen=True, kw_only=True):
    """The host in numbers. `counts`: runs by state. `troubles`: what could not be read of them."""

    host_id: str
    wall: Finite
    home: str
    counts: dict[str, int]
    queue: list[str]
    disk_free: int
    lock_held_max_s: Finite
    troubles: list[str] = []


class RunList(VerbResult, frozen=True, kw_only=True):
    """Runs: first those that are not over, then those that ended last.

    Attributes:
        left_out: how many follow that are not among these; `next`: the `skip` that goes on there, or 0.
        live, finished: how many there are of each; None: it is not said (before protocol 1.1).
        troubles: a sentence for each run that cannot be read, or the first of `troubled`.
        left: of runs that are over, the processes that still live; empty of an older host.
    """

    ROWS: ClassVar[tuple[str, type]] = ("runs", RunView)

    runs: list[RunView]
    wall: Finite
    left_out: Size = 0
    next: Size = 0
    live: Size | None = None
    finished: Size | None = None
    troubles: list[str] = []
    troubled: Size = 0
    left: dict[str, list[str]] = {}


class RunsFound(VerbResult, frozen=True, kw_only=True):
    """Runs that may be meant, at most 8 of `count`: by a whole id, a name, or the beginning of either."""

    by: str
    runs: list[RunView]
    count: Size
    wall: Finite


class StreamOpened(VerbResult, frozen=True, kw_only=True):
    """A stream by its number, where it begins, and how many bytes stand after and before that now."""

    stream: int
    cursor: Cursor
    behind: int = 0
    before: Size | None = None


class Backfill(VerbResult, frozen=True, kw_only=True):
    """Bytes [offset, offset + len(data)) of `file`; `is_first`: nothing stands before them."""

    file: str
    offset: Size
    data: Annotated[bytes, Meta(max_length=N_MAX)]
    is_first: bool


class FoundFile(VerbResult, frozen=True, kw_only=True, omit_defaults=True):
    """A plain file of a host.

    Attributes:
        at: when it was written last, by the host's clock.
        pattern: which of the patterns that were asked for it fits.
        folder: the folder that fits it, where that is not the file itself.
    """

    path: Annotated[str, Meta(min_length=1, max_length=4096)]
    bytes: Size
    at: Finite
    pattern: Size = 0
    folder: Annotated[str, Meta(max_length=4096)] = ""


class FilesFound(VerbResult, frozen=True, kw_only=True):
    """Files, the newest first; how many more there are, and what could not be looked at."""

    ROWS: ClassVar[tuple[str, type]] = ("files", FoundFile)

    files: list[FoundFile]
    wall: Finite
    left_out: Size = 0
    troubles: list[str] = []


class ProcessRow(VerbResult, frozen=True, kw_only=True, omit_defaults=True):
    """A process of a host.

    Attributes:
        start: the kernel's start time, which with the pid says which process it is; None of another user's.
        standing: live, orphan (its run is over or nobody supervises it), foreign (no run of this home).
        age_s: seconds. rss, gpu_mem: bytes. None where unknown.
        user, mine, devices, home, log: of a foreign one: whose, on what, of which other home, its output.
        why_not: why a foreign one is not ended from here; "" where its user may, None where nobody says.
    """

    pid: int
    start: int | None
    standing: Standing = msgspec.field(name="class")
    run_id: str | None
    why: str
    gpu_mem: Number | None = None
    age_s: Number | None
    rss: Number | None
    cmd: str | None
    user: str = ""
    mine: bool = False
    devices: list[str] = []
    home: str = ""
    log: str = ""
    why_not: str | None = None


class Beside(VerbResult, frozen=True, kw_only=True):
    """Who computes on a device, and is no run of this home."""

    device: str
    beside: list[ProcessRow] = []


class LockRow(VerbResult, frozen=True, kw_only=True, omit_defaults=True):
    """A lock of a host, and the run that it belongs to or that holds it."""

    name: str
    free: bool
    run_id: str | None
    holders: list[str] = []


class ProcessList(VerbResult, frozen=True, kw_only=True):
    """What lives, what was left behind, what is not ours, and every lock."""

    processes: list[ProcessRow]
    locks: list[LockRow]


class Reaped(VerbResult, frozen=True, kw_only=True):
    """Which process ended, and by which signal. `left`: what it had started and what lives on."""

    pid: int
    signal: int
    command: str = ""
    left: list[str] = []


class MemoryPressure(VerbResult, frozen=True, kw_only=True):
    """How tight memory is: macOS by its own level, Linux by the share of time that tasks waited for it."""

    level: str | None = None
    stalled_percent: Number | None = None
    swap_used: Number | None = None
    compressed: Number | None = None
    wired: Number | None = None


class AcceleratorLoad(VerbResult, frozen=True, kw_only=True):
    """One accelerator: bytes, percent, watts, degrees Celsius; None where it cannot be read."""

    device: str | None = None
    name: str | None = None
    util_percent: Number | None = None
    mem_total: Number | None = None
    mem_used: Number | None = None
    mem_allocated: Number | None = None
    power_w: Number | None = None
    temperature_c: Number | None = None


class HostLoad(VerbResult, frozen=True, kw_only=True):
    """How busy a host is; None where it cannot be read, never zero. `cost_ms`: of taking this reading."""

    cpu_percent: Number | None = None
    cpu_count: int | None = None
    load: list[Number] | None = None
    mem_total: Number | None = None
    mem_used: Number | None = None
    pressure: MemoryPressure | None = None
    disk_total: Number | None = None
    disk_free: Number | None = None
    gpus: list[AcceleratorLoad] | None = None
    cost_ms: Number | None = None


class StatePushed(VerbResult, frozen=True, kw_only=True):
    """Unasked: a run is new, or its state changed."""

    run: RunView


class StreamOver(VerbResult, frozen=True, kw_only=True):
    """Unasked: a followed file is over; with a reason, it can be read no further."""

    stream: int
    reason: str = ""


class StreamSkipped(VerbResult, frozen=True, kw_only=True):
    """Unasked: of a stream that may be skipped, `missed` bytes between two places were not sent."""

    stream: int
    start: Cursor = msgspec.field(name="from")
    end: Cursor = msgspec.field(name="to")
    missed: int = msgspec.field(name="bytes")


class FileRow(VerbResult, frozen=True, kw_only=True):
    """A file that lies in a draft."""

    name: str
    bytes: int


class SeedPlace(VerbResult, frozen=True, kw_only=True):
    """Where the files of a checkpoint go, and what of them lies there; `done`: the whole of it does."""

    done: bool
    dir: str
    present: list[FileRow] = []


class Admission(VerbResult, frozen=True, kw_only=True):
    """Whether a checkpoint got its name; `bad` names the files that must come again."""

    done: bool
    dir: str
    bad: list[str] = []


class ProvenFile(VerbResult, frozen=True, kw_only=True):
    """A file of a checkpoint, as its manifest tells it."""

    name: str
    bytes: int
    sha256: str


class CheckpointRow(VerbResult, frozen=True, kw_only=True):
    """A checkpoint as its manifest tells it; `why`: why it cannot be read. None where it is not known.

    `pin`: what keeps it whatever the policy says: `pinned`, `snapshot`; empty where nothing does.
    """

    name: str
    step: int = 0
    best: bool = False
    latest: bool = False
    readable: bool = False
    why: str = ""
    sha256: str | None = None
    manifest_bytes: int | None = None
    at: Finite | None = None
    kind: str | None = None
    bytes: int | None = None
    files: list[ProvenFile] = []
    metrics: dict[str, Any] = {}
    primary: str | None = None
    direction: str | None = None
    parent: str | None = None
    pin: str = ""


class CheckpointList(VerbResult, frozen=True, kw_only=True):
    """A page of a run's checkpoints, newest first; `left_out` counts those of later pages.

    `trash`: the names of those that a retention let go, and that can be brought back.
    """

    run_id: str
    dir: str
    checkpoints: list[CheckpointRow]
    left_out: int
    wall: Finite = 0.0
    trash: list[str] = []


class FindingRow(VerbResult, frozen=True, kw_only=True):
    """A finding on its way; a level of a later version counts as a note."""

    level: str
    about: str
    what: str
    why: str = ""
    remedy: str = ""

    def finding(self) -> Finding:
        """The finding itself."""
        level: Level = next((one for one in LEVELS if one == self.level), "note")
        return Finding(level=level, about=self.about, what=self.what, why=self.why, remedy=self.remedy)


class DoctorAnswer(VerbResult, frozen=True, kw_only=True):
    """What `doctor` found, the worst first. `facts` are neither right nor wrong: versions and places."""

    findings: list[FindingRow] = []
    left_out: int = 0
    facts: dict[str, str] = {}
    wall: Finite = 0.0


class AutostartState(VerbResult, frozen=True, kw_only=True):
    """What contacts the host's runs at its start, and what that cannot do (`notes`)."""

    kind: str
    installed: bool
    files: list[str]
    changed: bool
    notes: list[str]


class EnvironmentRow(VerbResult, frozen=True, kw_only=True):
    """An environment on the host; `kept` says why it stays: empty, and the next cleaning takes it."""

    env: str
    at: Finite
    version: str
    torch: str
    by: str
    kept: list[str] = []


class DeployState(VerbResult, frozen=True, kw_only=True):
    """Is what runs there what the client would deploy, and what else lies there."""

    verdict: Verdict
    env: str
    wheel_sha256: str
    version: str
    environments: list[EnvironmentRow]


class DeployCleaned(VerbResult, frozen=True, kw_only=True):
    """What a cleaning removed, or (with `dry_run`) would remove."""

    kept: list[str] = []
    removed: list[str] = []
    wheels: list[str] = []
    bytes: int
    dry_run: bool


class AuditEntries(VerbResult, frozen=True, kw_only=True):
    """The newest entries of the host's audit log, oldest first, and how many lines were none."""

    entries: list[AuditEntry]
    malformed: int


def as_answered(result: object) -> Mapping[str, Any]:
    """A result under the words of the wire."""
    answered: Mapping[str, Any] = msgspec.to_builtins(result)
    return answered
