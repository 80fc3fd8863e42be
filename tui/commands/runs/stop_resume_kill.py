"""`resume`, `stop` and `kill`: the keys r, x and K, for scripts."""

import argparse
from typing import Any, Protocol

from remote.actions import Outcome, kill_run, resume_run, stop_run, wait_for
from remote.hosts.lookup import find_host
from remote.protocol.views import RunView
from trainer.config.data_source import DATA_KEY, absolute_source
from trainer.config.resolve import parse_overrides
from tui.commands.find_run import find_view
from tui.commands.host_session import link_to
from tui.commands.output import FAILURE, OK, emit, say, tell
from tui.commands.runs.selection import Chosen, chosen
from tui.commands.runs.start import conclude, wait, warn_of_others
from tui.commands.runs.summary import view_fields


def resume(args: argparse.Namespace) -> int:
    """A new attempt from the newest valid checkpoint, or from the named one."""
    with link_to(args.host) as session:
        view = find_view(session, args.run)
        run_id = view.run_id
        warn_of_others(session, view.device)
        outcome = resume_run(
            session,
            run_id,
            from_checkpoint=args.checkpoint,
            queue=args.queue,
            start_id=args.start_id or "",
            changes=changes_of(args),
        )
        return conclude(args, wait(args, session, outcome))


def changes_of(args: argparse.Namespace) -> dict[str, Any]:
    """What `--set` and `--data` change of the run's configuration; the host says whether they may.

    Raises:
        ConfigError: a text without `=`.
    """
    values = parse_overrides(args.overrides)
    if args.data is not None:
        values[DATA_KEY] = args.data
    if DATA_KEY in values and find_host(args.host).is_local:
        values[DATA_KEY] = absolute_source(str(values[DATA_KEY]))
    return values


def stop(args: argparse.Namespace) -> int:
    """Ask for a graceful stop and, without --no-wait, see it happen."""

    def ask(one: Chosen, *, wait: bool) -> Outcome:
        return stop_run(
            one.session,
            one.view.run_id,
            wait=wait,
            deadline=args.deadline,
            timeout=args.timeout,
            again=args.again,
            signal=args.signal or "",
        )

    return end_each(args, "stop", ask)


def kill(args: argparse.Namespace) -> int:
    """End exactly the processes of the runs."""

    def ask(one: Chosen, *, wait: bool) -> Outcome:
        return kill_run(one.session, one.view.run_id, wait=wait, timeout=args.timeout)

    return end_each(args, "kill", ask)


class Ask(Protocol):
    """How a run is asked to end."""

    def __call__(self, one: Chosen, /, *, wait: bool) -> Outcome: ...  # noqa: D102


def end_each(args: argparse.Namespace, act: str, ask: Ask) -> int:
    """One run as ever; of several all are asked before the first is waited for."""
    with chosen(args, act, lambda view: not view.is_terminal) as found:
        if len(args.runs) == 1:
            return conclude(args, ask(found[0], wait=not args.no_wait))
        asked = [(one, ask(one, wait=False)) for one in found]
        code = OK
        rows: list[dict[str, Any]] = []
        for one, outcome in asked:
            settled = outcome
            if outcome.ok and outcome.run is not None and not outcome.run.is_terminal and not args.no_wait:
                settled = wait_for(one.session, one.view.run_id, is_settled, args.timeout)
            code = code or told(args, act, one, settled)
            if settled.run is not None:
                rows.append(view_fields(one.host, settled.run))
        if args.json:
            emit(rows)
        return code


def told(args: argparse.Namespace, act: str, one: Chosen, outcome: Outcome) -> int:
    """A line for people of what became of one of several; its exit code."""
    if not outcome.ok:
        say(f"photinus: {outcome.message}")
        return outcome.exit_code
    if outcome.run is not None and outcome.run.has_failed and act != "kill":
        say(f"photinus: {one.view.run_id} {outcome.run.state}: {outcome.run.reason}")
        return FAILURE
    if not args.json:
        tell(outcome.message)
    return OK


def is_settled(view: RunView) -> bool:
    """Whether waiting longer changes nothing."""
    return view.is_terminal or view.state == "unkillable"
