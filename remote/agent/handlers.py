"""Verb -> what carries it out. What needs psutil is imported when it is first asked for."""

from collections.abc import Callable, Mapping
from typing import Any, TypeAlias, TypeVar

from remote import verbs
from remote.agent import checkpoints, ending, host, resuming, seeds, starting
from remote.agent.context import Context, Work
from remote.arguments import (
    AutostartArgs,
    DeployCheckArgs,
    DeployCleanArgs,
    DoctorArgs,
    NoArgs,
    ReapArgs,
    VerbArgs,
)
from remote.results import AutostartState, DeployCleaned, DeployState, DoctorAnswer, ProcessList, Reaped
from remote.verbs import Verb

A = TypeVar("A", bound=VerbArgs)
R = TypeVar("R")
Handler: TypeAlias = Callable[[Context, Any], Any]


def served(verb: Verb[A, R], handler: Callable[[Context, A], R | Work[R]]) -> tuple[str, Handler]:
    """An entry of the table, whose handler takes and answers what the verb does."""
    return verb.name, handler


def _telemetry(ctx: Context, args: NoArgs) -> Work[dict[str, Any]]:
    from remote.agent.telemetry import telemetry

    return telemetry(ctx, args)


def _processes(ctx: Context, args: NoArgs) -> Work[ProcessList]:
    from remote.agent.processes import processes

    return processes(ctx, args)


def _reap(ctx: Context, args: ReapArgs) -> Work[Reaped]:
    from remote.agent.processes import reap

    return reap(ctx, args)


def _doctor(ctx: Context, args: DoctorArgs) -> Work[DoctorAnswer]:
    from remote.agent.doctor import doctor

    return doctor(ctx, args)


def _autostart(ctx: Context, args: AutostartArgs) -> AutostartState:
    from remote.agent.autostart import autostart

    return autostart(ctx, args)


def _deploy_check(ctx: Context, args: DeployCheckArgs) -> Work[DeployState]:
    from remote.agent.deployment import check

    return check(ctx, args)


def _deploy_clean(ctx: Context, args: DeployCleanArgs) -> Work[DeployCleaned]:
    from remote.agent.deployment import clean_up

    return clean_up(ctx, args)


HANDLERS: Mapping[str, Handler] = dict(
    (
        served(verbs.HELLO, host.hello),
        served(verbs.PING, host.ping),
        served(verbs.STATUS, host.status),
        served(verbs.RUNS, host.runs),
        served(verbs.RUN, host.run),
        served(verbs.START, starting.start),
        served(verbs.RESUME, resuming.resume),
        served(verbs.STOP, ending.stop),
        served(verbs.KILL, ending.kill),
        served(verbs.ADOPT, ending.adopt),
        served(verbs.PROCESSES, _processes),
        served(verbs.REAP, _reap),
        served(verbs.TELEMETRY, _telemetry),
        served(verbs.CHECKPOINTS, checkpoints.checkpoints),
        served(verbs.SEED, seeds.seed),
        served(verbs.ADMIT, seeds.admit),
        served(verbs.DOCTOR, _doctor),
        served(verbs.AUDIT, host.audit),
        served(verbs.AUTOSTART, _autostart),
        served(verbs.DEPLOY_CHECK, _deploy_check),
        served(verbs.DEPLOY_CLEAN, _deploy_clean),
    )
)
"""The verbs of streams belong to the connection: see `Streaming.verbs`."""
