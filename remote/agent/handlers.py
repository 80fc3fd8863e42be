"""Verb -> what carries it out. What needs psutil is imported when it is first asked for."""

from collections.abc import Callable, Mapping
from typing import TypeAlias

from remote.agent.context import Context, Result, Work
from remote.agent.host import status as host
from remote.agent.runs import checkpoints, receive
from remote.agent.runs import stop as ending
from remote.agent.starts import resume as resuming
from remote.agent.starts import start as starting

Handler: TypeAlias = Callable[[Context, Result], Result | Work]


def _telemetry(ctx: Context, args: Result) -> Work:
    from remote.agent.host.telemetry import telemetry

    return telemetry(ctx, args)


def _processes(ctx: Context, args: Result) -> Work:
    from remote.agent.processes.processes import processes

    return processes(ctx, args)


def _reap(ctx: Context, args: Result) -> Work:
    from remote.agent.processes.processes import reap

    return reap(ctx, args)


def _beside(ctx: Context, args: Result) -> Work:
    from remote.agent.stale import on_device

    return on_device(ctx, args)


def _end(ctx: Context, args: Result) -> Work:
    from remote.agent.stale import end

    return end(ctx, args)


def _doctor(ctx: Context, args: Result) -> Work:
    from remote.agent.checkup.doctor import doctor

    return doctor(ctx, args)


def _autostart(ctx: Context, args: Result) -> Result:
    from remote.agent.starts.autostart import autostart

    return autostart(ctx, args)


def _deploy_check(ctx: Context, args: Result) -> Work:
    from remote.agent.host.deployment import check

    return check(ctx, args)


def _deploy_clean(ctx: Context, args: Result) -> Work:
    from remote.agent.host.deployment import clean_up

    return clean_up(ctx, args)


HANDLERS: Mapping[str, Handler] = {
    "hello": host.hello,
    "ping": host.ping,
    "status": host.status,
    "runs": host.runs,
    "run": host.run,
    "start": starting.start,
    "resume": resuming.resume,
    "stop": ending.stop,
    "kill": ending.kill,
    "adopt": ending.adopt,
    "processes": _processes,
    "reap": _reap,
    "beside": _beside,
    "end": _end,
    "telemetry": _telemetry,
    "checkpoints": checkpoints.checkpoints,
    "seed": receive.seed,
    "admit": receive.admit,
    "doctor": _doctor,
    "audit": host.audit,
    "autostart": _autostart,
    "deploy-check": _deploy_check,
    "deploy-clean": _deploy_clean,
}
"""The streams' verbs (`tail`, `events`, `untail`, `ack`) belong to the connection: see `Desk`."""
