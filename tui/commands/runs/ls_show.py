"""`ls` and `show`: what runs there are, and how one of them does."""

import argparse
import sys
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

from remote.actions import settle_intents
from remote.hosts.host import LOCAL, Host
from remote.hosts.lookup import load_hosts
from remote.protocol.arguments import RunArgs
from remote.protocol.errors import CallError
from remote.protocol.verbs import RUN
from remote.protocol.views import RunFilter
from remote.session.last_seen import note
from remote.session.session import Session, connect
from tui.commands import listed_runs
from tui.commands.every_host import look_at_all
from tui.commands.evidence import evidence
from tui.commands.find_run import find_view
from tui.commands.host_session import LAST_FOR_A_ROW, hear, link_to
from tui.commands.output import OK, answer, emit, say, tell
from tui.commands.runs.keep import show_trash
from tui.commands.runs.selection import filter_of, has_filter
from tui.commands.runs.summary import HEADER, asked, brief, brief_words, full, full_words, times
from tui.commands.watched import watched_views
from tui.health import health_bands
from tui.store.runs import RunRecord

READ_MAX = 200  # runs whose last step is looked for in what they wrote; live ones first
Rows = list[dict[str, Any]]


def list_runs(args: argparse.Namespace) -> int:
    """Every run of the host, or of every host that answers in time; newest first, host by host."""
    if args.trash:
        return show_trash(args.host or LOCAL.name, args.json)
    only = wanted_only(args)
    hosts = [] if args.host else load_hosts()
    if len(hosts) < 2:
        return list_one(args.host or hosts[0].name, args)
    found: dict[str, Rows] = {}
    failure: CallError | None = None
    for host, reply in hear_all(hosts, args.timeout, wanted(args), only):
        if isinstance(reply, CallError):
            failure = failure or reply
            say(f"{host.name}: unknown: {reply.message}" + (f" ({reply.remedy})" if reply.remedy else ""))
        else:
            found[host.name] = reply
            if not args.json and not args.sort:
                show_rows(reply, with_header=len(found) == 1)
    rows = in_order([row for host in hosts for row in found.get(host.name, [])], args.sort)
    if args.json:
        emit(rows)
    elif args.sort and rows:
        show_rows(rows)
    elif found and wanted(args) != 0 and not any(found.values()):
        say(f"no runs on {', '.join(found)} yet: `photinus start --preset NAME --host HOST` starts one")
    return OK if found or failure is None else failure.exit_code


def list_one(name: str, args: argparse.Namespace) -> int:
    """The runs of one host."""
    with link_to(name) as session:
        rows = in_order(rows_of(session, wanted(args), wanted_only(args)), args.sort)
    if args.json:
        emit(rows)
    elif not rows and wanted_only(args) is not None:
        say(f"no run on {name} fits that")
    elif not rows and wanted(args) != 0:
        say(f"no runs on {name} yet: `photinus demo` starts one, or `photinus start --preset NAME`")
    else:
        show_rows(rows)
    return OK


def wanted(args: argparse.Namespace) -> int | None:
    """How many of the runs that are over are listed; None: all."""
    return None if args.all else int(args.last)


def wanted_only(args: argparse.Namespace) -> RunFilter | None:
    """Which runs are listed; None: all that are not archived."""
    if not has_filter(args) and not args.archived:
        return None
    return filter_of(args, time.time(), archived=args.archived)


SORTS: Mapping[str, Callable[[Mapping[str, Any]], Any]] = {
    "name": lambda row: (row["name"], row["run_id"]),
    "state": lambda row: (row["state"], row["host"], row["run_id"]),
    "host": lambda row: (row["host"], -row["created"]),
    "age": lambda row: row["age_s"] if row.get("age_s") is not None else float("inf"),
    "duration": lambda row: -(row.get("duration_s") or 0.0),
    "step": lambda row: -(row["step"] or 0),
}
"""What `--sort` takes: the youngest, the longest and the farthest come first."""


def in_order(rows: Rows, by: str | None) -> Rows:
    """The rows sorted, or as they came: not over first, then those that ended last."""
    return sorted(rows, key=SORTS[by]) if by else rows


def rows_of(session: Session, finished: int | None, only: RunFilter | None = None) -> Rows:
    """What `ls` lists of each run; what it does not list, or cannot, is noted on stderr.

    Raises:
        CallError: the host did not say it in time.
    """
    listed = listed_runs.list_runs(session, finished, only)
    to_read = [view for view in listed.views if not view.is_terminal or view.step is None]
    records = hear(session, to_read[:READ_MAX], LAST_FOR_A_ROW)
    for remark in listed.remarks(session.host.name):
        say(remark)
    name, rows = session.host.name, []
    watched = [view for view in watched_views(session) if only is None or only.fits(view)]
    for view in (*listed.views, *watched):
        try:
            record = records.get(view.run_id) or RunRecord(host=name, view=view, received_at=0.0)
            told = brief(name, record) | times(view, listed.wall)
            rows.append(told | {"left": list(listed.left.get(view.run_id, ()))})
        except (KeyError, ValueError, OverflowError, TypeError) as error:  # it costs that run its row alone
            say(f"{name}: {view.run_id} cannot be told: {error!r}"[:300])
    return rows


def show_rows(rows: Sequence[Mapping[str, Any]], *, with_header: bool = True) -> None:
    """A line a run, at once, under a header."""
    if rows and with_header:
        tell(HEADER)
    for row in rows:
        tell(brief_words(row))
    sys.stdout.flush()


def hear_all(
    hosts: Sequence[Host],
    timeout: float,
    finished: int | None = listed_runs.RECENT,
    only: RunFilter | None = None,
) -> Iterator[tuple[Host, Rows | CallError]]:
    """Each host with its rows as they come, or with why they are unknown: see `look_at_all`."""

    def look(host: Host) -> Rows:
        with connect(host, timeout, history=0) as session:
            settle_intents(session)
            rows = rows_of(session, finished, only)
            note(session)
        return rows

    yield from look_at_all(hosts, timeout, look)


def show(args: argparse.Namespace) -> int:
    """One run in full."""
    with link_to(args.host) as session:
        view = find_view(session, args.run)
        run = hear(session, [view])[view.run_id]
        details = session.call(RUN, RunArgs(run_id=view.run_id))
    shown = full(args.host, run, health_bands()) | asked(details.spec) | evidence(details)
    answer(shown, args.json, full_words)
    return OK
