"""The verb `find`: which run is meant by what somebody typed."""

import time
from collections.abc import Generator

from remote.agent.context import Context
from remote.agent.history import name_of, plain, row_of, troubles
from remote.agent.kept.gone import demand_here
from remote.agent.run_index import SLICE_S
from remote.agent.run_views import readable
from remote.agent.verb import Work
from remote.protocol.arguments import FindArgs
from remote.protocol.errors import CallError
from remote.protocol.results import RunsFound
from remote.protocol.views import RunView
from trainer.run.layout import RUN_ID
from trainer.run.run_errors import RunError

SHOWN = 8


def find(ctx: Context, args: FindArgs) -> Work[RunsFound]:
    """The verb: a whole id means that run, whatever else there is; else a name, else a beginning of either.

    Of several that fit, live ones come first, then the newest; `count` says how many fit.

    Raises:
        CallError: `bad_request`: nothing was typed; `not_found`: it is in the trash, or was moved.
        RunError: the run of that id is there and cannot be read.
    """
    typed = plain(args.name)
    if not typed:
        raise CallError("bad_request", "the run's name is empty", "photinus ls lists them")
    if RUN_ID.fullmatch(typed) and ctx.views.state(ctx.home.run(typed)) is not None:
        return _found("id", [ctx.view(ctx.home.run(typed))], 1)
    yield from ctx.index.refresh()
    names = yield from _names(ctx)
    by = "name"
    fitting = [run_id for run_id, name in names if name == typed]
    if not fitting:
        by = "beginning"
        fitting = [run_id for run_id, name in names if run_id.startswith(typed) or name.startswith(typed)]
    rows = [row for run_id in fitting[:SHOWN] if (row := _row(ctx, run_id)) is not None]
    if not rows:
        _demand_readable(ctx, typed)
        demand_here(ctx.home, typed)
    return _found(by, rows, len(fitting) if rows else 0)


def _found(by: str, views: list[RunView], count: int) -> RunsFound:
    return RunsFound(by=by, runs=views, count=count, wall=time.time())


def _names(ctx: Context) -> Generator[None, None, list[tuple[str, str]]]:
    """Id and name of every run, live ones first, then the newest."""
    views = [readable(ctx.views, run) for run in ctx.index.live]
    live = sorted((view for view in views if isinstance(view, RunView)), key=lambda view: -view.created)
    names = [(view.run_id, plain(view.name)) for view in live]
    until = time.monotonic() + SLICE_S
    for entry in [*ctx.index.newest(), *ctx.index.newest(archived=True)]:
        names.append((entry.run_id, name_of(ctx, entry)))
        if time.monotonic() > until:
            yield
            until = time.monotonic() + SLICE_S
    return names


def _demand_readable(ctx: Context, typed: str) -> None:
    """Nothing fits: unless it is a run that cannot be read, which is another thing than no run.

    Raises:
        RunError: it is; the message says why.
    """
    for trouble in troubles(ctx):
        if trouble.startswith(typed):
            raise RunError(trouble)


def _row(ctx: Context, run_id: str) -> RunView | None:
    entry = ctx.index.finished.get(run_id)
    if entry is not None:
        return row_of(ctx, entry)
    view = readable(ctx.views, ctx.home.run(run_id))
    return view if isinstance(view, RunView) else None
