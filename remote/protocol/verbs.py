"""The table of verbs: what each takes and answers. A verb is one entry here and one handler in the agent."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

from remote.protocol import arguments as take
from remote.protocol import keeping as keep
from remote.protocol import results as give
from remote.protocol import trained
from remote.protocol.arguments import NoArgs, VerbArgs
from remote.protocol.results import NoResult
from remote.protocol.views import EndedRun, HostHello, RunDetails, RunView, StartedRun

A = TypeVar("A", bound=VerbArgs)
R = TypeVar("R")


@dataclass(frozen=True, slots=True)
class Verb(Generic[A, R]):
    """A verb: its word on the wire, and the structures that it takes and answers.

    Attributes:
        acts: changes something on the host; refused by a client that may only look. Every verb says which.
        always: answered to a client of another major version too: an old run must always be stoppable.
        repeatable: safe to send again after a lost answer (reads, and acts that carry their own id).
        texts: fields of the answer whose texts may have several lines.
    """

    name: str
    args: type[A]
    result: type[R]
    acts: bool = False
    always: bool = False
    repeatable: bool = True
    texts: frozenset[str] = frozenset()


HELLO = Verb("hello", take.HelloArgs, HostHello, always=True)
PING = Verb("ping", take.PingArgs, give.Pong, always=True, repeatable=False)
STATUS = Verb("status", NoArgs, give.HostStatus, always=True)
RUNS = Verb("runs", take.RunsArgs, give.RunList)
FIND = Verb("find", take.FindArgs, give.RunsFound)
RUN = Verb("run", take.RunArgs, RunDetails, texts=frozenset({"spec", "process"}))
START = Verb("start", take.StartArgs, StartedRun, acts=True)
RESUME = Verb("resume", take.ResumeArgs, StartedRun, acts=True)
STOP = Verb("stop", take.StopArgs, EndedRun, acts=True, always=True)
KILL = Verb("kill", take.KillArgs, EndedRun, acts=True, always=True)
LABEL = Verb("label", keep.LabelArgs, RunView, acts=True)
ARCHIVE = Verb("archive", keep.ArchiveArgs, keep.KeptRun, acts=True)
TRASH = Verb("trash", keep.KeepArgs, keep.KeptRun, acts=True)
RESTORE = Verb("restore", keep.KeepArgs, keep.KeptRun, acts=True)
PURGE = Verb("purge", keep.PurgeArgs, keep.Purged, acts=True)
TRASHED = Verb("trashed", keep.TrashArgs, keep.TrashList)
SAVE = Verb("save", keep.AskArgs, keep.SavedCheckpoint, acts=True)
SIGNAL = Verb("signal", keep.SignalArgs, keep.SignalSent, acts=True)
LOG_TIMES = Verb("log-times", keep.LogTimesArgs, keep.LogTimesList)
KIN = Verb("kin", keep.KinArgs, keep.KinList)
CLONE = Verb("clone", keep.CloneArgs, StartedRun, acts=True)
QUEUE = Verb("queue", NoArgs, keep.WaitingLine)
QUEUE_CHANGE = Verb("queue-change", keep.LineArgs, keep.WaitingLine, acts=True)
TRAINER_LOOK = Verb(
    "trainer-look", trained.TrainerArgs, trained.TrainerAnswer, texts=frozenset({"out", "said"})
)
TRAINER_ACT = Verb(
    "trainer-act", trained.TrainerArgs, trained.TrainerAnswer, acts=True, repeatable=False,
    texts=frozenset({"out", "said"}),
)  # fmt: skip
FEED_TAKE = Verb("feed-take", trained.FeedTakeArgs, trained.FeedTaken, acts=True)
ADOPT = Verb("adopt", take.RunArgs, RunView, acts=True)
TAIL = Verb("tail", take.TailArgs, give.StreamOpened, repeatable=False)
EVENTS = Verb("events", take.TailArgs, give.StreamOpened, repeatable=False)
WATCH = Verb("watch", take.WatchArgs, give.StreamOpened, repeatable=False)
FILES = Verb("files", take.FilesArgs, give.FilesFound)
OLDER = Verb("older", take.OlderArgs, give.Backfill)
UNTAIL = Verb("untail", take.UntailArgs, NoResult, repeatable=False)
ACK = Verb("ack", take.AckArgs, NoResult, repeatable=False)
PROCESSES = Verb("processes", NoArgs, give.ProcessList, texts=frozenset({"processes"}))
REAP = Verb("reap", take.ReapArgs, give.Reaped, acts=True, repeatable=False)
BESIDE = Verb("beside", take.BesideArgs, give.Beside, texts=frozenset({"beside"}))
END = Verb("end", take.EndArgs, give.Reaped, acts=True, repeatable=False)
TELEMETRY = Verb("telemetry", NoArgs, give.HostLoad)
SEED = Verb("seed", take.SeedArgs, give.SeedPlace, acts=True)
ADMIT = Verb("admit", take.AdmitArgs, give.Admission, acts=True)
TREE = Verb("tree", keep.TreeRoomArgs, keep.TreeRoom, acts=True)
ADMIT_TREE = Verb("admit-tree", keep.TreeArgs, keep.TreeAdmission, acts=True)
RUN_TREE = Verb("run-tree", keep.KeepArgs, keep.RunTree, acts=True)
DEPART = Verb("depart", keep.DepartArgs, keep.KeptRun, acts=True)
CHECKPOINTS = Verb("checkpoints", take.CheckpointsArgs, give.CheckpointList)
DOCTOR = Verb("doctor", take.DoctorArgs, give.DoctorAnswer)
AUTOSTART = Verb("autostart", take.AutostartArgs, give.AutostartState, acts=True)
DEPLOY_CHECK = Verb("deploy-check", take.DeployCheckArgs, give.DeployState)
DEPLOY_CLEAN = Verb("deploy-clean", take.DeployCleanArgs, give.DeployCleaned, acts=True)
AUDIT = Verb("audit", take.AuditArgs, give.AuditEntries, texts=frozenset({"entries"}))

VERBS: Mapping[str, Verb[Any, Any]] = {
    one.name: one for one in tuple(globals().values()) if isinstance(one, Verb)
}
"""Every verb by its word on the wire."""


def acts(verb: str) -> bool:
    """Whether a verb changes something on the host; a verb that we do not know may."""
    return verb not in VERBS or VERBS[verb].acts
