"""The verbs that are about the host and not about one run: `hello`, `ping`, `status`, `runs`, `run`."""

import os
import platform
import sys
import time
from collections import Counter
from collections.abc import Iterator
from dataclasses import asdict

from remote.agent.audit import audit_path
from remote.agent.context import Context
from remote.agent.run_views import readable
from remote.agent.starts.contact import reconcile, reconcile_all
from remote.agent.starts.environment import own
from remote.audit.audit_log import read
from remote.protocol.arguments import AuditArgs, HelloArgs, NoArgs, PingArgs, RunArgs
from remote.protocol.messages import ANSWER_MAX, PROTO, encode
from remote.protocol.results import AuditEntries, HostStatus, Pong, RunList
from remote.protocol.version import version
from remote.protocol.views import AuditEntry, CheckpointBrief, HostHello, RunDetails, RunView
from remote.supervisor.admission.queue import waiting
from remote.supervisor.evidence import last_lines
from remote.supervisor.process.command_line import named
from trainer.run.checkpoints.manifest import list_checkpoints
from trainer.run.layout import RunDir
from trainer.run.locks import is_free
from trainer.run.process.identity import boot_id
from trainer.run.process.survivors import survivors
from trainer.run.states import State

LOG_LINES = 12


def hello(ctx: Context, _args: HelloArgs) -> HostHello:
    """The verb."""
    mine = own()
    return HostHello(
        proto=PROTO,
        version=version(),
        host_id=ctx.home.host_id,
        boot_id=str(boot_id()),
        agent_epoch=ctx.epoch,
        wall=time.time(),
        pid=os.getpid(),
        platform=f"{sys.platform} {platform.machine()}",
        python=platform.python_version(),
        devices=tuple(ctx.devices()),
        wheel_sha256=mine.wheel,
        env=mine.env,
    )


def ping(_ctx: Context, args: PingArgs) -> Pong:
    """The verb."""
    return Pong(n=args.n, wall=time.time())


def status(ctx: Context, _args: NoArgs) -> HostStatus:
    """The verb."""
    troubles = reconcile_all(ctx)
    views = _views(ctx, troubles)
    return HostStatus(
        host_id=ctx.home.host_id,
        wall=time.time(),
        home=str(ctx.home.root),
        counts=dict(Counter(view.state for view in views)),
        queue=[entry.run_id for entry in waiting(ctx.home)],
        disk_free=ctx.disk_free(ctx.home.root),
        lock_held_max_s=ctx.held_max_s,
        troubles=troubles,
    )


def runs(ctx: Context, _args: NoArgs) -> RunList:
    """The verb: newest first; `left_out` counts what did not fit into one line."""
    troubles = reconcile_all(ctx)
    rows: list[RunView] = []
    size, views = 0, _views(ctx, troubles)
    for view in sorted(views, key=lambda view: (view.created, view.run_id), reverse=True):
        size += len(encode(view.to_json()))
        if size > ANSWER_MAX:
            break
        rows.append(view)
    return RunList(runs=rows, wall=time.time(), left_out=len(views) - len(rows), troubles=troubles[:20])


def run(ctx: Context, args: RunArgs) -> RunDetails:
    """The verb: the view, and with it spec, checkpoints and processes."""
    one = ctx.run(args.run_id)
    reconcile(ctx, one)
    process = ctx.views.process(one)
    return RunDetails.of(
        ctx.view(one),
        wall=time.time(),
        spec=ctx.views.spec(one).to_json() | {"env": sorted(ctx.views.spec(one).env)},
        checkpoints=tuple(_checkpoints(one)),
        process=process.to_json() | {"token": None} if process else None,
        began=process.started if process else None,
        ended=_ended(ctx, one),
        log_end=tuple(last_lines(one, LOG_LINES)) if _has_failed(ctx, one) else (),
        left=tuple(named(left.pid) for left in survivors(one, process)) if _is_over(ctx, one) else (),
    )


def _ended(ctx: Context, run: RunDir) -> float | None:
    state = ctx.views.state(run)
    return state.since if state is not None and state.is_terminal else None


def _has_failed(ctx: Context, run: RunDir) -> bool:
    state = ctx.views.state(run)
    return state is not None and state.is_terminal and state.state not in (State.STOPPED, State.SUCCEEDED)


def _is_over(ctx: Context, run: RunDir) -> bool:
    state = ctx.views.state(run)
    return state is not None and state.is_terminal and is_free(run.lock)


def audit(ctx: Context, args: AuditArgs) -> AuditEntries:
    """The verb: the newest entries of the host's audit log that fit into one line, oldest first."""
    entries, malformed = read(audit_path(ctx.home), args.last)
    rows: list[AuditEntry] = []
    size = 0
    for one in reversed(entries):
        size += len(encode(asdict(one)))
        if size > ANSWER_MAX:
            break
        rows.append(one)
    return AuditEntries(entries=rows[::-1], malformed=malformed)


def _views(ctx: Context, troubles: list[str]) -> list[RunView]:
    views = []
    for one in ctx.home.runs():
        view = readable(ctx.views, one)
        if isinstance(view, RunView):
            views.append(view)
        elif view is not None and not any(one.run_id in trouble for trouble in troubles):
            troubles.append(f"{one.run_id}: {view}")
    return views


def _checkpoints(one: RunDir) -> Iterator[CheckpointBrief]:
    for info in reversed(list_checkpoints(one.checkpoints)[-200:]):
        manifest = info.manifest
        yield CheckpointBrief(
            name=info.name,
            step=info.step,
            kind=manifest.kind if manifest else None,
            bytes=manifest.bytes if manifest else None,
            metrics=dict(manifest.metrics) if manifest else {},
            readable=manifest is not None,
        )
