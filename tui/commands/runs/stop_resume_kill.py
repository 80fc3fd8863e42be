"""`resume`, `stop` and `kill`: the keys r, x and K, for scripts."""

import argparse
from typing import Any

from remote.actions import kill_run, resume_run, stop_run
from remote.hosts.lookup import find_host
from trainer.config.data_source import DATA_KEY, absolute_source
from trainer.config.resolve import parse_overrides
from tui.commands.find_run import find_view
from tui.commands.host_session import link_to
from tui.commands.runs.start import conclude, wait, warn_of_others


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
    with link_to(args.host) as session:
        run_id = find_view(session, args.run).run_id
        outcome = stop_run(
            session,
            run_id,
            wait=not args.no_wait,
            deadline=args.deadline,
            timeout=args.timeout,
            again=args.again,
            signal=args.signal or "",
        )
        return conclude(args, outcome)


def kill(args: argparse.Namespace) -> int:
    """End exactly the processes of the run."""
    with link_to(args.host) as session:
        run_id = find_view(session, args.run).run_id
        return conclude(args, kill_run(session, run_id, wait=not args.no_wait, timeout=args.timeout))
