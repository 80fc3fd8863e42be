"""Verb -> what carries it out. What needs psutil is imported when it is first asked for."""

from collections.abc import Callable, Mapping
from typing import TypeAlias

from remote.agent import ending, host, resuming, starting
from remote.agent.context import Context, Result, Work

Handler: TypeAlias = Callable[[Context, Result], Result | Work]


def _telemetry(ctx: Context, args: Result) -> Result:
    from remote.agent.telemetry import telemetry

    return telemetry(ctx, args)


def _processes(ctx: Context, args: Result) -> Result:
    from remote.agent.processes import processes

    return processes(ctx, args)


def _reap(ctx: Context, args: Result) -> Work:
    from remote.agent.processes import reap

    return reap(ctx, args)


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
    "telemetry": _telemetry,
}
"""The streams' verbs (`tail`, `events`, `untail`, `ack`) belong to the connection: see `Desk`."""
