"""Which runs a command is about: those that are named, or all that fit, after one question."""

import argparse
import sys
import time
from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass

from remote.actions.kept.keep import demand_tags
from remote.hosts.host import LOCAL
from remote.hosts.lookup import load_hosts
from remote.protocol.errors import CallError
from remote.protocol.views import WATCHED, RunFilter, RunView
from remote.session.session import Session
from trainer.run.states import State
from tui.commands.arguments import RUN_HELP, age
from tui.commands.find_run import find_view
from tui.commands.host_session import link_to
from tui.commands.listed_runs import list_runs
from tui.commands.output import OK, emit, explain, say, tell
from tui.commands.target import split_run

SHOWN = 20
STATES = (*(str(state) for state in State), *sorted(WATCHED))


@dataclass(frozen=True, slots=True)
class Chosen:
    """A run that a command is about, and the session with its host."""

    session: Session
    view: RunView

    @property
    def host(self) -> str:
        """Its host's name."""
        return self.session.host.name


def add_filters(parser: argparse.ArgumentParser) -> None:
    """The options that say which runs fit."""
    parser.add_argument(
        "--state", action="append", default=[], help="runs in this state, such as failed; repeatable"
    )
    parser.add_argument(
        "--tag", action="append", default=[], metavar="WORD", help="runs with this tag; repeatable"
    )
    parser.add_argument(
        "--named",
        default="",
        metavar="PATTERN",
        help="runs whose name or id has this in it, or fits it (* and ?)",
    )
    parser.add_argument(
        "--older", type=age, metavar="AGE", help="in their state for longer than 30m, 12h, 7d ..."
    )
    parser.add_argument("--newer", type=age, metavar="AGE", help="in their state for less than that")


def add_selection(parser: argparse.ArgumentParser) -> None:
    """Runs by name, or by what fits them."""
    parser.add_argument("runs", nargs="*", metavar="RUN", help=RUN_HELP)
    add_filters(parser)
    parser.add_argument("--every", action="store_true", help="every run of the host that this can be done to")
    parser.add_argument(
        "--yes", action="store_true", help="do not ask on the terminal before acting on what fits"
    )


def filter_of(args: argparse.Namespace, now: float, *, archived: bool = False) -> RunFilter:
    """What the options say; `now` is the host's clock.

    Raises:
        CallError: `bad_request`: a state that there is not, a tag that cannot be one.
    """
    for state in args.state:
        if state not in STATES:
            raise CallError("bad_request", f"there is no state {state[:40]!r}", f"one of {', '.join(STATES)}")
    demand_tags(args.tag)
    return RunFilter(
        states=args.state,
        tags=args.tag,
        name=args.named,
        before=None if args.older is None else now - args.older,
        after=None if args.newer is None else now - args.newer,
        archived=archived,
    )


def has_filter(args: argparse.Namespace) -> bool:
    """Whether runs are meant by what fits them."""
    return bool(args.state or args.tag or args.named or args.older is not None or args.newer is not None)


def by_host(runs: Sequence[str], host: str) -> dict[str, list[str]]:
    """Host -> runs, as they were typed; `HOST:RUN` names its host.

    Raises:
        CallError: `bad_request`: `--host` and a run name different ones.
    """
    known = {each.name for each in load_hosts()}
    found: dict[str, list[str]] = defaultdict(list)
    for text in runs:
        named, run = split_run(text, known)
        if named and host not in (LOCAL.name, named):
            raise CallError("bad_request", f"both --host {host} and {text!r} name a host", "name it once")
        found[named or host].append(run)
    return found


@contextmanager
def chosen(
    args: argparse.Namespace, act: str, can: Callable[[RunView], bool], *, archived: bool = False
) -> Iterator[list[Chosen]]:
    """The runs that are meant, with open sessions. What was chosen by a filter is asked about, once.

    Raises:
        CallError: none is meant, one is not found, or nobody confirms.
    """
    is_wide = has_filter(args) or args.every
    if is_wide and args.runs:
        raise CallError("bad_request", "runs are named and filtered at once", "name them, or say which fit")
    if not is_wide and not args.runs:
        raise CallError(
            "bad_request", "name a run", f"photinus {act} RUN, or say which: --state, --tag, --every"
        )
    with ExitStack() as stack:
        found = []
        for host, names in (by_host(args.runs, args.host) if args.runs else {args.host: []}).items():
            session = stack.enter_context(link_to(host))
            if names:
                found += [Chosen(session, find_view(session, name)) for name in names]
            else:
                only = filter_of(args, time.time(), archived=archived)
                views = list_runs(session, None, only).views
                found += [Chosen(session, view) for view in views if can(view)]
        if is_wide:
            confirm(act, found, is_sure=args.yes)
        yield list({(one.host, one.view.run_id): one for one in found}.values())


def confirm(act: str, found: Sequence[Chosen], *, is_sure: bool) -> None:
    """One question for all.

    Raises:
        CallError: `not_found`: nothing fits; `refused`: nobody is there to say yes, or says no.
    """
    if not found:
        raise CallError(
            "not_found", f"no run fits that photinus {act} could act on", "photinus ls lists them"
        )
    if is_sure:
        return
    for one in found[:SHOWN]:
        say(f"  {one.view.run_id:28} {one.view.state:12} {one.host:10} {one.view.name[:40]}")
    if len(found) > SHOWN:
        say(f"  and {len(found) - SHOWN} more")
    if not sys.stdin.isatty():
        raise CallError(
            "refused", f"{_runs(len(found))}; nobody is there to confirm it", "--yes, for scripts"
        )
    say(f"photinus {act}: these ({len(found)})? Type yes to go on:")
    if sys.stdin.readline().strip() != "yes":
        raise CallError("refused", "not confirmed: nothing was done", "type yes, or leave them alone")


def each(
    args: argparse.Namespace,
    found: Sequence[Chosen],
    act: Callable[[Chosen], dict[str, object]],
    words: Callable[[dict[str, object]], str],
) -> int:
    """Do it to each, one after another; what is refused to one holds up no other. The first one's exit code.

    `--json` gives an object for the one run that was named, else an array.
    """
    rows, code = [], OK
    for one in found:
        try:
            row = act(one)
        except CallError as error:
            failed = explain(error)
            code = code or failed or OK
            continue
        rows.append(row)
        if not args.json:
            tell(words(row))
            sys.stdout.flush()
    if args.json and len(args.runs) == 1:
        if rows:
            emit(rows[0])
    elif args.json:
        emit(rows)
    return code


def _runs(count: int) -> str:
    return "1 run fits" if count == 1 else f"{count} runs fit"
