"""The verbs that are about the host and not about one run: `hello`, `ping`, `status`, `runs`, `run`."""

import os
import platform
import sys
import time
from collections import Counter
from collections.abc import Generator, Iterable, Iterator, Sequence
from dataclasses import asdict

from remote.agent import history
from remote.agent.audit import audit_path
from remote.agent.context import Context
from remote.agent.history import ROW_MAX, TOO_LONG, row_of
from remote.agent.index_file import Entry
from remote.agent.processes.outlived import outlived
from remote.agent.run_index import SLICE_S
from remote.agent.run_views import readable
from remote.agent.starts.contact import reconcile, reconcile_all
from remote.agent.starts.environment import own
from remote.agent.verb import Work
from remote.audit.audit_log import read
from remote.protocol.arguments import AuditArgs, HelloArgs, NoArgs, PingArgs, RunArgs, RunsArgs
from remote.protocol.messages import ANSWER_MAX, PROTO, encode
from remote.protocol.results import AuditEntries, HostStatus, Pong, RunList
from remote.protocol.version import version
from remote.protocol.views import AuditEntry, CheckpointBrief, HostHello, RunDetails, RunFilter, RunView
from remote.supervisor.admission.waiting_line import waiting
from remote.supervisor.evidence import last_lines
from remote.supervisor.process.command_line import named
from trainer.run.checkpoints.manifest import list_checkpoints
from trainer.run.layout import RunDir
from trainer.run.locks import is_free
from trainer.run.process.identity import boot_id
from trainer.run.process.survivors import survivors
from trainer.run.states import State

LOG_LINES, TRACE_LINES = 12, 40
TRACE = "Traceback (most recent call last)"

TROUBLES_MAX = 20


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


def status(ctx: Context, _args: NoArgs) -> Work[HostStatus]:
    """The verb."""
    yield from ctx.index.refresh()
    troubles = reconcile_all(ctx)
    views = _live(ctx, troubles)
    _add_troubles(ctx, troubles)
    counts = Counter(view.state for view in views) + Counter(entry.state for entry in ctx.index.newest())
    return HostStatus(
        host_id=ctx.home.host_id,
        wall=time.time(),
        home=str(ctx.home.root),
        counts=dict(counts),
        queue=[entry.run_id for entry in waiting(ctx.home)],
        disk_free=ctx.disk_free(ctx.home.root),
        lock_held_max_s=ctx.held_max_s,
        troubles=troubles,
    )


def runs(ctx: Context, args: RunsArgs) -> Work[RunList]:
    """The verb: first the runs that are not over, then the others, those that ended last first.

    `finished` bounds how many of those that are over are listed, `skip` passes over what an earlier page had.
    What did not fit is counted in `left_out`; `next` is the `skip` that goes on there, 0 at the end.
    With `only`, all of this is said of the runs that fit it.
    """
    yield from ctx.index.refresh()
    troubles = reconcile_all(ctx)
    live, over = _live(ctx, troubles), ctx.index.newest(archived=bool(args.only and args.only.archived))
    if args.only is not None:
        live = [view for view in live if args.only.fits(view)]
        over = yield from _fitting(ctx, over, args.only)
    page = Page(ANSWER_MAX)
    taken = page.take(live[args.skip :])
    if taken == len(live[args.skip :]):
        rest = over[max(0, args.skip - len(live)) :]
        taken += yield from _take_over(ctx, page, rest if args.finished is None else rest[: args.finished])
    _add_troubles(ctx, troubles)
    left_out = max(0, len(live) + len(over) - args.skip - taken)
    return RunList(
        runs=page.rows,
        wall=time.time(),
        left_out=left_out,
        next=args.skip + taken if left_out else 0,
        live=len(live),
        finished=len(over),
        troubles=troubles[:TROUBLES_MAX],
        troubled=len(troubles),
        left=outlived(ctx, page.rows),
    )


class Page:
    """Rows as long as they fit into one line."""

    def __init__(self, room: int) -> None:
        self._room = room
        self.rows: list[RunView] = []

    def take(self, rows: Iterable[RunView | None]) -> int:
        """Add rows until one does not fit; how many were dealt with. None is a row that cannot be made."""
        count = 0
        for row in rows:
            size = len(encode(row.to_json())) + 1 if row is not None else 0
            if size > self._room:
                break
            self._room -= size
            count += 1
            if row is not None:
                self.rows.append(row)
        return count


def _fitting(ctx: Context, entries: Sequence[Entry], only: RunFilter) -> Generator[None, None, list[Entry]]:
    """The entries that fit; of one whose state or time does not, nothing is read."""
    found = []
    until = time.monotonic() + SLICE_S
    for entry in entries:
        is_out = (
            (only.states and entry.state not in only.states)
            or (only.after is not None and entry.since < only.after)
            or (only.before is not None and entry.since > only.before)
        )
        if not is_out and ((view := row_of(ctx, entry)) is None or only.fits(view)):
            found.append(entry)
        if time.monotonic() > until:
            yield
            until = time.monotonic() + SLICE_S
    return found


def _take_over(ctx: Context, page: Page, entries: Sequence[Entry]) -> Generator[None, None, int]:
    """Rows of runs that are over, until the page is full; how many were dealt with."""
    until = time.monotonic() + SLICE_S
    for count, entry in enumerate(entries):
        if not page.take([row_of(ctx, entry)]):
            return count
        if time.monotonic() > until:
            yield
            until = time.monotonic() + SLICE_S
    return len(entries)


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
        ended=_ended(ctx, one),
        log_end=_log_end(one) if _has_failed(ctx, one) else (),
        left=tuple(named(left.pid) for left in survivors(one, process)) if _is_over(ctx, one) else (),
    )


def _ended(ctx: Context, run: RunDir) -> float | None:
    state = ctx.views.state(run)
    return state.since if state is not None and state.is_terminal else None


def _log_end(run: RunDir) -> tuple[str, ...]:
    """The last lines of its log; the last traceback whole, where they are its end."""
    lines = last_lines(run, TRACE_LINES)
    begins = next((place for place in range(len(lines) - 1, -1, -1) if TRACE in lines[place]), len(lines))
    return tuple(lines[min(begins, max(len(lines) - LOG_LINES, 0)) :])


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


def _live(ctx: Context, troubles: list[str]) -> list[RunView]:
    """Every run that is not over, the newest first; one that cannot be read becomes a sentence."""
    views = []
    for one in ctx.index.live:
        view = readable(ctx.views, one)
        if isinstance(view, RunView) and len(encode(view.to_json())) > ROW_MAX:
            troubles.append(f"{one.run_id}: {TOO_LONG}")
        elif isinstance(view, RunView):
            views.append(view)
        elif view is not None and not any(trouble.startswith(one.run_id) for trouble in troubles):
            troubles.append(f"{one.run_id}: {view}")
    return sorted(views, key=lambda view: (view.created, view.run_id), reverse=True)


def _add_troubles(ctx: Context, troubles: list[str]) -> None:
    known = {trouble.partition(":")[0] for trouble in troubles}
    troubles += [trouble for trouble in history.troubles(ctx) if trouble.partition(":")[0] not in known]


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
