"""Verb -> what carries it out. What needs psutil is imported when it is first asked for."""

from collections.abc import Callable, Mapping
from typing import Any, TypeAlias, TypeVar

from remote.agent import find
from remote.agent.context import Context
from remote.agent.host import status
from remote.agent.runs import checkpoints, receive, stop
from remote.agent.starts import resume, start
from remote.agent.verb import Work
from remote.protocol import verbs
from remote.protocol.arguments import (
    AutostartArgs,
    BesideArgs,
    DeployCheckArgs,
    DeployCleanArgs,
    DoctorArgs,
    EndArgs,
    FilesArgs,
    NoArgs,
    ReapArgs,
    VerbArgs,
)
from remote.protocol.keeping import (
    ArchiveArgs,
    AskArgs,
    CloneArgs,
    DepartArgs,
    KeepArgs,
    KeptRun,
    KinArgs,
    KinList,
    LabelArgs,
    LineArgs,
    LogTimesArgs,
    LogTimesList,
    PurgeArgs,
    Purged,
    RunTree,
    SavedCheckpoint,
    SignalArgs,
    SignalSent,
    TrashArgs,
    TrashList,
    TreeAdmission,
    TreeArgs,
    TreeRoom,
    TreeRoomArgs,
    WaitingLine,
)
from remote.protocol.results import (
    AutostartState,
    Beside,
    DeployCleaned,
    DeployState,
    DoctorAnswer,
    FilesFound,
    HostLoad,
    ProcessList,
    Reaped,
)
from remote.protocol.trained import FeedTakeArgs, FeedTaken, TrainerAnswer, TrainerArgs
from remote.protocol.verbs import Verb
from remote.protocol.views import RunView, StartedRun

A = TypeVar("A", bound=VerbArgs)
R = TypeVar("R")
Handler: TypeAlias = Callable[[Context, Any], Any]


def served(verb: Verb[A, R], handler: Callable[[Context, A], R | Work[R]]) -> tuple[str, Handler]:
    """An entry of the table, whose handler takes and answers what the verb does."""
    return verb.name, handler


def _telemetry(ctx: Context, args: NoArgs) -> Work[HostLoad]:
    from remote.agent.host.telemetry import telemetry

    return telemetry(ctx, args)


def _processes(ctx: Context, args: NoArgs) -> Work[ProcessList]:
    from remote.agent.processes.processes import processes

    return processes(ctx, args)


def _reap(ctx: Context, args: ReapArgs) -> Work[Reaped]:
    from remote.agent.processes.processes import reap

    return reap(ctx, args)


def _beside(ctx: Context, args: BesideArgs) -> Work[Beside]:
    from remote.agent.processes.stale import on_device

    return on_device(ctx, args)


def _end(ctx: Context, args: EndArgs) -> Work[Reaped]:
    from remote.agent.processes.stale import end

    return end(ctx, args)


def _files(ctx: Context, args: FilesArgs) -> Work[FilesFound]:
    from remote.agent.streams.found_files import find_files

    return find_files(ctx, args)


def _doctor(ctx: Context, args: DoctorArgs) -> Work[DoctorAnswer]:
    from remote.agent.checkup.doctor import doctor

    return doctor(ctx, args)


def _autostart(ctx: Context, args: AutostartArgs) -> AutostartState:
    from remote.agent.starts.autostart import autostart

    return autostart(ctx, args)


def _deploy_check(ctx: Context, args: DeployCheckArgs) -> Work[DeployState]:
    from remote.agent.host.deployment import check

    return check(ctx, args)


def _deploy_clean(ctx: Context, args: DeployCleanArgs) -> Work[DeployCleaned]:
    from remote.agent.host.deployment import clean_up

    return clean_up(ctx, args)


def _label(ctx: Context, args: LabelArgs) -> RunView:
    from remote.agent.runs.label import label

    return label(ctx, args)


def _archive(ctx: Context, args: ArchiveArgs) -> Work[KeptRun]:
    from remote.agent.runs.archive import archive

    return archive(ctx, args)


def _restore(ctx: Context, args: KeepArgs) -> Work[KeptRun]:
    from remote.agent.runs.archive import restore

    return restore(ctx, args)


def _trash(ctx: Context, args: KeepArgs) -> Work[KeptRun]:
    from remote.agent.runs.trash import trash

    return trash(ctx, args)


def _trashed(ctx: Context, args: TrashArgs) -> TrashList:
    from remote.agent.runs.trash import trash_list

    return trash_list(ctx, args)


def _purge(ctx: Context, args: PurgeArgs) -> Work[Purged]:
    from remote.agent.runs.trash import purge

    return purge(ctx, args)


def _save(ctx: Context, args: AskArgs) -> Work[SavedCheckpoint]:
    from remote.agent.runs.ask_live import save

    return save(ctx, args)


def _signal(ctx: Context, args: SignalArgs) -> Work[SignalSent]:
    from remote.agent.runs.ask_live import send_signal

    return send_signal(ctx, args)


def _log_times(ctx: Context, args: LogTimesArgs) -> LogTimesList:
    from remote.agent.runs.ask_live import log_times

    return log_times(ctx, args)


def _kin(ctx: Context, args: KinArgs) -> Work[KinList]:
    from remote.agent.runs.kin import kin

    return kin(ctx, args)


def _trainer_look(ctx: Context, args: TrainerArgs) -> Work[TrainerAnswer]:
    from remote.agent.runs.trainer_words import look

    return look(ctx, args)


def _trainer_act(ctx: Context, args: TrainerArgs) -> Work[TrainerAnswer]:
    from remote.agent.runs.trainer_words import act

    return act(ctx, args)


def _feed_take(ctx: Context, args: FeedTakeArgs) -> Work[FeedTaken]:
    from remote.agent.runs.fed_file import feed_take

    return feed_take(ctx, args)


def _clone(ctx: Context, args: CloneArgs) -> Work[StartedRun]:
    from remote.agent.starts.clone_run import clone

    return clone(ctx, args)


def _queue(ctx: Context, args: NoArgs) -> WaitingLine:
    from remote.agent.starts.line_order import line

    return line(ctx, args)


def _queue_change(ctx: Context, args: LineArgs) -> WaitingLine:
    from remote.agent.starts.line_order import change_line

    return change_line(ctx, args)


def _tree(ctx: Context, args: TreeRoomArgs) -> Work[TreeRoom]:
    from remote.agent.trees.receive_tree import tree

    return tree(ctx, args)


def _admit_tree(ctx: Context, args: TreeArgs) -> Work[TreeAdmission]:
    from remote.agent.trees.receive_tree import admit_tree

    return admit_tree(ctx, args)


def _run_tree(ctx: Context, args: KeepArgs) -> Work[RunTree]:
    from remote.agent.trees.run_tree import run_tree

    return run_tree(ctx, args)


def _depart(ctx: Context, args: DepartArgs) -> Work[KeptRun]:
    from remote.agent.trees.run_tree import depart

    return depart(ctx, args)


HANDLERS: Mapping[str, Handler] = dict(
    (
        served(verbs.HELLO, status.hello),
        served(verbs.PING, status.ping),
        served(verbs.STATUS, status.status),
        served(verbs.RUNS, status.runs),
        served(verbs.RUN, status.run),
        served(verbs.FIND, find.find),
        served(verbs.START, start.start),
        served(verbs.RESUME, resume.resume),
        served(verbs.STOP, stop.stop),
        served(verbs.KILL, stop.kill),
        served(verbs.LABEL, _label),
        served(verbs.ARCHIVE, _archive),
        served(verbs.RESTORE, _restore),
        served(verbs.TRASH, _trash),
        served(verbs.TRASHED, _trashed),
        served(verbs.PURGE, _purge),
        served(verbs.SAVE, _save),
        served(verbs.SIGNAL, _signal),
        served(verbs.LOG_TIMES, _log_times),
        served(verbs.KIN, _kin),
        served(verbs.TRAINER_LOOK, _trainer_look),
        served(verbs.TRAINER_ACT, _trainer_act),
        served(verbs.FEED_TAKE, _feed_take),
        served(verbs.CLONE, _clone),
        served(verbs.QUEUE, _queue),
        served(verbs.QUEUE_CHANGE, _queue_change),
        served(verbs.ADOPT, stop.adopt),
        served(verbs.PROCESSES, _processes),
        served(verbs.REAP, _reap),
        served(verbs.BESIDE, _beside),
        served(verbs.FILES, _files),
        served(verbs.END, _end),
        served(verbs.TELEMETRY, _telemetry),
        served(verbs.CHECKPOINTS, checkpoints.checkpoints),
        served(verbs.SEED, receive.seed),
        served(verbs.ADMIT, receive.admit),
        served(verbs.TREE, _tree),
        served(verbs.ADMIT_TREE, _admit_tree),
        served(verbs.RUN_TREE, _run_tree),
        served(verbs.DEPART, _depart),
        served(verbs.DOCTOR, _doctor),
        served(verbs.AUDIT, status.audit),
        served(verbs.AUTOSTART, _autostart),
        served(verbs.DEPLOY_CHECK, _deploy_check),
        served(verbs.DEPLOY_CLEAN, _deploy_clean),
    )
)
"""The verbs of streams belong to the connection: see `Streaming.verbs`."""
