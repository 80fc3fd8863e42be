"""The verb `kin`: of some runs, those of this host from which they came, and those that came from them."""

import time
from collections.abc import Generator, Iterable, Mapping

from remote.agent.context import Context
from remote.agent.history import begun_from, row_of
from remote.agent.run_index import SLICE_S
from remote.agent.run_views import readable
from remote.agent.verb import Work
from remote.protocol.keeping import KinArgs, KinList, KinRow
from remote.protocol.views import RunView
from trainer.run.disk.atomic import read_json
from trainer.run.layout import RunDir
from trainer.run.run_errors import RunError

KIN_MAX = 500


def kin(ctx: Context, args: KinArgs) -> Work[KinList]:
    """The verb. Archived runs count; those of the trash do not. What cannot be read has an empty state."""
    yield from ctx.index.refresh()
    parents = yield from _parents(ctx)
    found = dict.fromkeys([*_above(parents, args.above), *_below(parents, args.below)])
    here = [run_id for run_id in found if run_id in parents]
    rows = [_row(ctx, run_id, parents[run_id]) for run_id in here[:KIN_MAX]]
    return KinList(runs=rows, left_out=max(0, len(here) - KIN_MAX))


def _above(parents: Mapping[str, str], run_ids: Iterable[str]) -> list[str]:
    """These and what they came from, as far as it is known here."""
    found: dict[str, None] = {}
    for run_id in run_ids:
        while run_id and run_id not in found:
            found[run_id] = None
            run_id = origin_of(parents.get(run_id, ""))
    return list(found)


def _below(parents: Mapping[str, str], run_ids: Iterable[str]) -> list[str]:
    """These and what came from them, from run to run."""
    children: dict[str, list[str]] = {}
    for run_id, parent in parents.items():
        children.setdefault(origin_of(parent), []).append(run_id)
    found: dict[str, None] = {}
    todo = list(run_ids)
    while todo:
        run_id = todo.pop()
        if run_id not in found:
            found[run_id] = None
            todo += children.get(run_id, [])
    return list(found)


def origin_of(parent: str) -> str:
    """The run in `RUN/step-N`."""
    return parent.partition("/")[0]


def _parents(ctx: Context) -> Generator[None, None, dict[str, str]]:
    """`RUN/step-N` from which each run of this host began; empty of those that began at step 0."""
    found = {run.run_id: _of_live(run) for run in ctx.index.live}
    until = time.monotonic() + SLICE_S
    for entry in [*ctx.index.newest(), *ctx.index.newest(archived=True)]:
        found[entry.run_id] = begun_from(ctx, entry)
        if time.monotonic() > until:
            yield
            until = time.monotonic() + SLICE_S
    return found


def _of_live(run: RunDir) -> str:
    try:
        raw = read_json(run.spec)
    except (RunError, OSError):
        return ""
    parent = raw.get("parent") if isinstance(raw, dict) else ""
    return parent if isinstance(parent, str) else ""


def _row(ctx: Context, run_id: str, parent: str) -> KinRow:
    entry = ctx.index.finished.get(run_id)
    view = row_of(ctx, entry) if entry is not None else readable(ctx.views, ctx.home.run(run_id))
    if not isinstance(view, RunView):
        return KinRow(run_id=run_id, name="", state="", parent=parent)
    step = view.step if view.step is not None or view.last_checkpoint is None else view.last_checkpoint.step
    return KinRow(
        run_id=run_id,
        name=view.name,
        state=view.state,
        parent=parent,
        step=step,
        archived=bool(view.archived),
    )
