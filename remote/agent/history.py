"""What is told of the runs that are over: their rows and names, read once and kept in the index."""

import json
import unicodedata
from collections.abc import Iterator

from remote.agent.context import Context
from remote.agent.index_file import NOTHING, Details, Entry
from remote.agent.kept.labels import read_labels
from remote.agent.run_index import mark_of
from remote.agent.run_views import readable
from remote.protocol.messages import encode
from remote.protocol.sanitise import clean_line
from remote.protocol.views import RunView
from trainer.run.disk.atomic import read_json
from trainer.run.run_errors import RunError

ROW_MAX = 1 << 16
TOO_LONG = f"its records make a view of more than {ROW_MAX} bytes"


def row_of(ctx: Context, entry: Entry) -> RunView | None:
    """The view of a run that is over; None where none can be made: its details say why."""
    run, known = ctx.home.run(entry.run_id), entry.details
    marks = (mark_of(run.state), mark_of(run.spec), mark_of(run.checkpoints))
    if known.of != marks:
        known.row, known.trouble = _read(ctx, entry.run_id)
        known.of, entry.is_troubled = marks, bool(known.trouble)
        ctx.index.learnt(entry)
    return RunView.from_json(json.loads(known.row)) if known.row else None


def _read(ctx: Context, run_id: str) -> tuple[bytes, str]:
    """The encoded view, or why there is none."""
    run = ctx.home.run(run_id)
    view = readable(ctx.views, run)
    ctx.views.forget(run)
    if not isinstance(view, RunView):
        return b"", str(view) if view is not None else "it has lost its state.json"
    try:
        row = encode(view.to_json())
    except ValueError as error:
        return b"", f"its records cannot be sent: {error}"
    return (row, "") if len(row) <= ROW_MAX else (b"", TOO_LONG)


def troubles(ctx: Context) -> Iterator[str]:
    """A sentence for each run that cannot be read, as far as it was looked at."""
    for run_id, broken in list(ctx.index.broken.items()):
        yield f"{run_id}: {broken.why}"
    for entry in ctx.index.newest():
        if entry.is_troubled:
            yield f"{entry.run_id}: {entry.details.trouble}"


def name_of(ctx: Context, entry: Entry) -> str:
    """The name of a run that is over; empty where its spec cannot be read."""
    if entry.labels != NOTHING and (label := read_labels(ctx.home.run(entry.run_id)).name):
        return plain(label)
    return _of_spec(ctx, entry).name or ""


def parent_of(ctx: Context, entry: Entry) -> str:
    """The run that it began from; empty where from none, or its spec cannot be read."""
    return begun_from(ctx, entry).partition("/")[0]


def begun_from(ctx: Context, entry: Entry) -> str:
    """The checkpoint `RUN/step-N` that it began from; empty as of `parent_of`."""
    return _of_spec(ctx, entry).parent


def _of_spec(ctx: Context, entry: Entry) -> Details:
    run, known = ctx.home.run(entry.run_id), entry.details
    mark = mark_of(run.spec)
    if known.name is None or known.name_of != mark:
        try:
            raw = read_json(run.spec)
        except (RunError, OSError):
            raw = None
        name, parent = (raw.get("name"), raw.get("parent")) if isinstance(raw, dict) else (None, None)
        known.name, known.name_of = plain(name)[:ROW_MAX] if isinstance(name, str) else "", mark
        known.parent = parent[:ROW_MAX] if isinstance(parent, str) else ""
        ctx.index.learnt(entry)
    return known


def plain(name: str) -> str:
    """A name as it is shown and typed: nothing that steers a terminal, accents composed."""
    return name if name.isascii() and name.isprintable() else unicodedata.normalize("NFC", clean_line(name))
