"""`resume`, `stop` and `kill`: the keys r, x and K, for scripts."""

import argparse

from remote.actions import kill_run, resume_run, stop_run
from tui.commands.find_run import find_view
from tui.commands.host_session import link_to
from tui.commands.runs.start import conclude, wait


def resume(args: argparse.Namespace) -> int:
    """A new attempt from the newest valid checkpoint, or from the named one."""
    with link_to(args.host) as session:
        run_id = find_view(session, args.run).run_id
        outcome = resume_run(
            session,
            run_id,
            from_checkpoint=args.checkpoint,
            queue=args.queue,
            start_id=args.start_id or "",
        )
        return conclude(args, wait(args, session, outcome))


def stop(args: argparse.Namespace) -> int:
    """Ask for a graceful stop and, without --no-wait, see it happen."""
    with link_to(args.host) as session:
        run_id = find_view(session, args.run).run_id
        outcome = stop_run(
            session, run_id, wait=not args.no_wait, deadline=args.deadline, timeout=args.timeout
        )
        return conclude(args, outcome)


def kill(args: argparse.Namespace) -> int:
    """End exactly the processes of the run."""
    with link_to(args.host) as session:
        run_id = find_view(session, args.run).run_id
        return conclude(args, kill_run(session, run_id, wait=not args.no_wait, timeout=args.timeout))
