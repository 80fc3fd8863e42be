"""The verbs `queue` and `queue-change`: who waits, in which order, and for what else."""

from remote.agent.context import Context
from remote.protocol.arguments import NoArgs
from remote.protocol.errors import CallError
from remote.protocol.keeping import LineArgs, LineRow, WaitingLine
from remote.supervisor.admission.queue import change_terms, is_ours, move_to, start_next
from remote.supervisor.admission.waiting_line import Terms, terms_of, waiting, why_kept
from trainer.run.run_errors import RunError


def line(ctx: Context, _args: NoArgs) -> WaitingLine:
    """The verb `queue`. An entry that cannot be read is the doctor's to name."""
    rows: list[LineRow] = []
    for entry in waiting(ctx.home):
        try:
            run = ctx.home.run(entry.run_id)
            view = ctx.view(run)
        except (RunError, CallError, OSError):
            continue
        if not is_ours(ctx.home, entry):
            continue
        terms = terms_of(entry)
        rows.append(
            LineRow(
                run_id=run.run_id,
                name=view.name,
                device=view.device,
                place=len(rows) + 1,
                held=terms.held,
                after=terms.after,
                why=why_kept(ctx.home, terms),
            )
        )
    return WaitingLine(runs=rows)


def change_line(ctx: Context, args: LineArgs) -> WaitingLine:
    """The verb `queue-change`; then the line moves, if it can.

    Raises:
        CallError: `refused`: that run does not wait; `bad_request`: it would wait for itself, or in a circle.
    """
    with ctx.critical():
        entry = next((one for one in waiting(ctx.home) if one.run_id == args.run_id), None)
        if entry is None:
            state = ctx.view(ctx.run(args.run_id)).state
            raise CallError(
                "refused", f"{args.run_id} does not wait: it is {state}", "photinus queue lists who does"
            )
        if args.held is not None or args.after is not None:
            terms = terms_of(entry)
            after = terms.after if args.after is None else args.after
            _demand_no_circle(ctx, args.run_id, after)
            held = terms.held if args.held is None else args.held
            change_terms(entry, Terms(held=held, after=after, at=terms.at))
        if args.place is not None:
            move_to(ctx.home, args.run_id, args.place)
    start_next(ctx.home)
    return line(ctx, NoArgs())


def _demand_no_circle(ctx: Context, run_id: str, after: str) -> None:
    if after:
        ctx.run(after)
    waits_for = {entry.run_id: terms_of(entry).after for entry in waiting(ctx.home)} | {run_id: after}
    seen: set[str] = set()
    while after and after not in seen:
        if after == run_id:
            raise CallError("bad_request", f"{run_id} would wait for itself", "name another run, or none")
        seen.add(after)
        after = waits_for.get(after, "")
