"""`ls` and `show`: what runs there are, and how one of them does."""

import argparse
import queue
import sys
import threading
import time
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from remote.actions import settle_intents
from remote.hosts.host import Host
from remote.hosts.lookup import load_hosts
from remote.protocol.arguments import RunArgs
from remote.protocol.errors import CallError, QuestionError
from remote.protocol.verbs import RUN
from remote.session.last_seen import note
from remote.session.session import Session, connect
from tui.commands import listed_runs
from tui.commands.evidence import evidence
from tui.commands.find_run import find_view
from tui.commands.host_session import LAST_FOR_A_ROW, hear, link_to
from tui.commands.output import OK, answer, emit, say, tell
from tui.commands.prompts import for_a_script
from tui.commands.runs.summary import asked, brief, brief_words, full, full_words
from tui.commands.watched import watched_views
from tui.health import health_bands
from tui.store.runs import RunRecord

READ_MAX = 200  # runs whose last step is looked for in what they wrote; live ones first
GRACE_S = 0.5  # so that a host that was not reached can still say why
SILENCE_S = 2.0  # before a line says for whom we wait
Rows = list[dict[str, Any]]


def list_runs(args: argparse.Namespace) -> int:
    """Every run of the host, or of every host that answers in time; newest first, host by host."""
    hosts = [] if args.host else load_hosts()
    if len(hosts) < 2:
        return list_one(args.host or hosts[0].name, args)
    found: dict[str, Rows] = {}
    failure: CallError | None = None
    for host, reply in hear_all(hosts, args.timeout, wanted(args)):
        if isinstance(reply, CallError):
            failure = failure or reply
            say(f"{host.name}: unknown: {reply.message}" + (f" ({reply.remedy})" if reply.remedy else ""))
        else:
            found[host.name] = reply
            if not args.json:
                show_rows(reply)
    if args.json:
        emit([row for host in hosts for row in found.get(host.name, [])])
    elif found and wanted(args) != 0 and not any(found.values()):
        say(f"no runs on {', '.join(found)} yet: `photinus start --preset NAME --host HOST` starts one")
    return OK if found or failure is None else failure.exit_code


def list_one(name: str, args: argparse.Namespace) -> int:
    """The runs of one host."""
    with link_to(name) as session:
        rows = rows_of(session, wanted(args))
    if args.json:
        emit(rows)
    elif not rows and wanted(args) != 0:
        say(f"no runs on {name} yet: `photinus demo` starts one, or `photinus start --preset NAME`")
    else:
        show_rows(rows)
    return OK


def wanted(args: argparse.Namespace) -> int | None:
    """How many of the runs that are over are listed; None: all."""
    return None if args.all else int(args.last)


def rows_of(session: Session, finished: int | None) -> Rows:
    """What `ls` lists of each run; what it does not list, or cannot, is noted on stderr.

    Raises:
        CallError: the host did not say it in time.
    """
    listed = listed_runs.list_runs(session, finished)
    to_read = [view for view in listed.views if not view.is_terminal or view.step is None]
    records = hear(session, to_read[:READ_MAX], LAST_FOR_A_ROW)
    for remark in listed.remarks(session.host.name):
        say(remark)
    name, rows = session.host.name, []
    for view in (*listed.views, *watched_views(session)):
        try:
            record = records.get(view.run_id) or RunRecord(host=name, view=view, received_at=0.0)
            rows.append(brief(name, record) | {"left": list(listed.left.get(view.run_id, ()))})
        except (KeyError, ValueError, OverflowError, TypeError) as error:  # it costs that run its row alone
            say(f"{name}: {view.run_id} cannot be told: {error!r}"[:300])
    return rows


def show_rows(rows: Sequence[Mapping[str, Any]]) -> None:
    """A line a run, at once."""
    for row in rows:
        tell(brief_words(row))
    sys.stdout.flush()


def hear_all(
    hosts: Sequence[Host], timeout: float, finished: int | None = listed_runs.RECENT
) -> Iterator[tuple[Host, Rows | CallError]]:
    """Each host with its rows as they come, or with why they are unknown; none waits for another.

    Nobody is asked anything: a host that has a question says so in its error. What has not answered after
    `timeout` seconds is left alone.
    """
    replies: queue.SimpleQueue[tuple[Host, Rows | CallError]] = queue.SimpleQueue()

    def look(host: Host) -> None:
        try:
            with connect(host, timeout, history=0) as session:
                settle_intents(session)
                rows = rows_of(session, finished)
                note(session)
            replies.put((host, rows))
        except QuestionError as error:
            replies.put((host, for_a_script(error, f"photinus hosts test {host.name}")))
        except CallError as error:
            replies.put((host, error))
        except Exception as error:  # whatever it is, the other hosts are listed
            replies.put((host, CallError("internal", f"{type(error).__name__}: {error}")))

    for host in hosts:
        threading.Thread(target=look, args=(host,), name=f"photinus-ls-{host.name}", daemon=True).start()
    began, patience = time.monotonic(), timeout + GRACE_S
    left, quiet_until = {host.name: host for host in hosts}, began + min(SILENCE_S, patience)
    while left:
        try:
            host, reply = replies.get(timeout=max(0.0, quiet_until - time.monotonic()))
        except queue.Empty:
            if quiet_until >= began + patience:
                break
            say(f"waiting for {', '.join(left)}, at most {patience - SILENCE_S:.0f} s more")
            quiet_until = began + patience
            continue
        del left[host.name]
        yield host, reply
    for host in left.values():
        yield host, CallError("unreachable", f"no answer in {timeout:g} s", "--timeout S waits longer")


def show(args: argparse.Namespace) -> int:
    """One run in full."""
    with link_to(args.host) as session:
        view = find_view(session, args.run)
        run = hear(session, [view])[view.run_id]
        details = session.call(RUN, RunArgs(run_id=view.run_id))
    shown = full(args.host, run, health_bands()) | asked(details.spec) | evidence(details)
    answer(shown, args.json, full_words)
    return OK
