"""What verbs about runs that one keeps (labels, archive, trash) and about shipped trees take and answer."""

from typing import Annotated, Any, ClassVar, Literal, TypeAlias

import msgspec
from msgspec import Meta

from remote.protocol.arguments import (
    RUN_NAME,
    Count,
    Name,
    RunId,
    RunIdOrNone,
    Sha256,
    Text,
    Ticket,
    VerbArgs,
)
from remote.protocol.results import VerbResult
from remote.protocol.values import Finite, Size
from remote.protocol.views import Tag

Note: TypeAlias = Annotated[str, Meta(max_length=2000)]


class LabelArgs(VerbArgs, frozen=True, kw_only=True):
    """What changes of a run's labels; None leaves name and note as they are, empty takes them away."""

    run_id: RunId
    name: Name | None = None
    note: Note | None = None
    add: Annotated[list[Tag], Meta(max_length=32)] = msgspec.field(default_factory=list)
    remove: Annotated[list[Tag], Meta(max_length=32)] = msgspec.field(default_factory=list)
    by: Name = ""


class KeepArgs(VerbArgs, frozen=True, kw_only=True):
    """A run that goes to the trash, or comes back from there or from the archive."""

    run_id: RunId
    by: Name = ""


class ArchiveArgs(KeepArgs, frozen=True, kw_only=True):
    """A run that leaves the list; `to`: a folder of the host that it moves into (empty: none)."""

    to: Text = ""


class PurgeArgs(VerbArgs, frozen=True, kw_only=True):
    """Runs that leave the trash for good; none named: all that lie there longer than `older_s` seconds."""

    run_ids: Annotated[list[RunId], Meta(max_length=1000)] = msgspec.field(default_factory=list)
    older_s: Annotated[float, Meta(ge=0, le=1e10)] = 0.0
    by: Name = ""


class TrashArgs(VerbArgs, frozen=True, kw_only=True):
    """How many rows an earlier page told."""

    skip: Count = 0


class KeptRun(VerbResult, frozen=True, kw_only=True):
    """Where a run is now: `runs`, `archive`, `trash`, or a folder; and how many bytes it takes."""

    run_id: str
    name: str
    state: str
    where: str
    bytes: Size = 0


class TrashedRun(VerbResult, frozen=True, kw_only=True):
    """A run in the trash; `at`: since when, epoch seconds of the host's clock."""

    run_id: str
    name: str
    state: str
    at: Finite
    bytes: Size = 0
    tags: list[str] = msgspec.field(default_factory=list)


class TrashList(VerbResult, frozen=True, kw_only=True):
    """What lies in the trash, the newest first; `next`: the `skip` that goes on there, or 0."""

    ROWS: ClassVar[tuple[str, type]] = ("runs", TrashedRun)

    runs: list[TrashedRun]
    wall: Finite
    next: Size = 0
    troubles: list[str] = msgspec.field(default_factory=list)


class Purged(VerbResult, frozen=True, kw_only=True):
    """What was removed for good, and what that freed."""

    run_ids: list[str]
    bytes: Size


class AskArgs(VerbArgs, frozen=True, kw_only=True):
    """A request to a live run, and how long its answer is waited for, seconds."""

    run_id: RunId
    req_id: Ticket
    patience_s: Annotated[float, Meta(ge=0, le=86400)] = 60.0
    by: Name = ""


class SignalArgs(AskArgs, frozen=True, kw_only=True):
    """The same, and which signal: `USR1` or `SIGUSR1`."""

    signal: Annotated[str, Meta(pattern=r"\A[A-Za-z0-9]{1,12}\Z")]


class LogTimesArgs(VerbArgs, frozen=True, kw_only=True):
    """A run, and since when, epoch seconds of the host's clock; 0: from the beginning."""

    run_id: RunId
    since: Annotated[float, Meta(ge=0, le=1e11)] = 0.0


class SavedCheckpoint(VerbResult, frozen=True, kw_only=True):
    """The checkpoint that a live run wrote because it was asked to."""

    run_id: str
    step: Size
    checkpoint: str | None = None
    sha256: str | None = None


class SignalSent(VerbResult, frozen=True, kw_only=True):
    """Which signal was sent."""

    run_id: str
    signal: str


class LogFile(VerbResult, frozen=True, kw_only=True):
    """A file of a run's log.

    Attributes:
        attempt: whose; first, last: when it grew, epoch seconds. None where nobody noted it.
        since: from which byte on it was written after the time that was asked for.
    """

    file: str
    bytes: Size
    attempt: Size | None = None
    first: Finite | None = None
    last: Finite | None = None
    since: Size = 0


class LogTimesList(VerbResult, frozen=True, kw_only=True):
    """The files of a run's log, the oldest first, and the folder that they lie in."""

    ROWS: ClassVar[tuple[str, type]] = ("files", LogFile)

    files: list[LogFile]
    dir: str
    wall: Finite
    troubles: list[str] = msgspec.field(default_factory=list)


class CloneArgs(VerbArgs, frozen=True, kw_only=True):
    """A new run with the spec of another; `set_` (`set`) and what else is said changes it.

    `parent`: the checkpoint `RUN/step-N` that it begins from; empty: the one that the other began from.
    """

    start_id: Ticket
    run_id: RunId
    new_id: RunId
    name: Name = ""
    device: Name = ""
    set_: dict[str, Any] = msgspec.field(name="set", default_factory=dict)
    queue: bool = False
    by: Name = ""
    parent: Annotated[str, Meta(pattern=rf"\A({RUN_NAME}/step-[0-9]{{8,16}})?\Z")] = ""


class KinArgs(VerbArgs, frozen=True, kw_only=True):
    """Runs, of any host, whose kin on this one is asked for: what those `above` came from, what came from
    those `below`."""

    above: Annotated[list[RunId], Meta(max_length=500)] = msgspec.field(default_factory=list)
    below: Annotated[list[RunId], Meta(max_length=500)] = msgspec.field(default_factory=list)


class KinRow(VerbResult, frozen=True, kw_only=True):
    """A run of this host; `parent`: the checkpoint `RUN/step-N` that it began from, empty: step 0.

    `step`: where it stands, None where that is not known; an empty `state`: it cannot be read.
    """

    run_id: str
    name: str
    state: str
    parent: str = ""
    step: Size | None = None
    archived: bool = False


class KinList(VerbResult, frozen=True, kw_only=True):
    """Runs of the family that are here; `left_out`: how many more."""

    runs: list[KinRow]
    left_out: Size = 0


class LineArgs(VerbArgs, frozen=True, kw_only=True):
    """What is to become of a run that waits: another `place` (1: the first), held or not, or `after` a run.

    None leaves as it is; an empty `after` waits for no run any more.
    """

    run_id: RunId
    place: Annotated[int, Meta(ge=1, le=1 << 20)] | None = None
    held: bool | None = None
    after: RunIdOrNone | None = None
    by: Name = ""


class LineRow(VerbResult, frozen=True, kw_only=True):
    """A run that waits; `why`: why those behind it pass it by, empty where it waits for its device alone."""

    run_id: str
    name: str
    device: str
    place: Size
    held: bool = False
    after: str = ""
    why: str = ""


class WaitingLine(VerbResult, frozen=True, kw_only=True):
    """Who waits, the next one first."""

    ROWS: ClassVar[tuple[str, type]] = ("runs", LineRow)

    runs: list[LineRow]
    troubles: list[str] = msgspec.field(default_factory=list)


class TreeArgs(VerbArgs, frozen=True, kw_only=True):
    """A tree of files by the hash of its list, `list_bytes` long.

    `kind`: `code`, which lies under its hash; `data`, which has a `name` before it; `run`: all of
    the run of that name, which is over.
    """

    kind: Literal["code", "data", "run"]
    sha256: Sha256
    list_bytes: Count
    name: Annotated[str, Meta(pattern=r"\A([A-Za-z0-9][A-Za-z0-9_-]{0,63})?\Z")] = ""


class TreeRoomArgs(TreeArgs, frozen=True, kw_only=True):
    """The same, and how much room all of it needs."""

    bytes: Count


class Parcel(VerbResult, frozen=True, kw_only=True):
    """A file to write on the host: the contents of these files of the tree, one behind the other.

    `files`: places in the list; `present`: how many of the `bytes` lie there already.
    """

    path: str
    files: list[int]
    bytes: Size
    present: Size = 0


class TreeRoom(VerbResult, frozen=True, kw_only=True):
    """Where a tree is or will be (`dir`), and what is still to come of it; `done`: nothing is.

    Attributes:
        list_path: where its list is to be written first, of which `list_present` bytes lie there; empty once
            it is there and proven.
        parcels: what is missing, then.
    """

    done: bool
    dir: str
    list_path: str = ""
    list_present: Size = 0
    parcels: list[Parcel] = msgspec.field(default_factory=list)


class TreeAdmission(VerbResult, frozen=True, kw_only=True):
    """Whether a tree got its name; `bad` names the first files that must come again."""

    done: bool
    dir: str
    bad: list[str] = msgspec.field(default_factory=list)


class RunTree(VerbResult, frozen=True, kw_only=True):
    """All files of an archived run, below `dir`: their list lies at `list_path` there, and has this hash."""

    run_id: str
    dir: str
    list_path: str
    list_bytes: Size
    sha256: str
    bytes: Size


class DepartArgs(KeepArgs, frozen=True, kw_only=True):
    """An archived run whose every file (`sha256`: of their list) is on another host now; `to`: `HOST:RUN`."""

    to: Annotated[str, Meta(pattern=r"\A[A-Za-z0-9._-]{1,255}:[a-z0-9-]{1,64}\Z")]
    sha256: Sha256
