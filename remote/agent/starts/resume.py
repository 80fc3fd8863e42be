"""The verb `resume`: a start that continues from a checkpoint of the run's lineage."""

from collections.abc import Generator, Mapping
from typing import Any

from remote.agent.background import in_thread
from remote.agent.context import Context
from remote.agent.kept.labels import read_labels
from remote.agent.processes.orphans import demand_no_orphans
from remote.agent.starts.busy import already_running
from remote.agent.starts.environment import standing
from remote.agent.starts.host_paths import demand_data
from remote.agent.starts.program_check import demand_program
from remote.agent.starts.shipped_code import begins_in, demand_code
from remote.agent.starts.start import StartPlan, carry, check_host, reconciled
from remote.agent.verb import Work
from remote.protocol.arguments import ResumeArgs
from remote.protocol.errors import CallError
from remote.protocol.views import StartedRun
from trainer.config.changeable_keys import fixed_keys
from trainer.run.changes import changed, checked_values
from trainer.run.checkpoints.manifest import CheckpointInfo, list_checkpoints, newest_valid, verify
from trainer.run.layout import RunDir
from trainer.run.records import read_changed_spec, read_start, read_state
from trainer.run.run_errors import CheckpointError
from trainer.run.spec import RunSpec
from trainer.run.states import StateRecord

LOCKED = ("device", "parallel.")


def resume(ctx: Context, args: ResumeArgs, restarts: int = 0) -> Work[StartedRun]:
    """The verb. `from` names a checkpoint, "" for the newest that proves itself; with none it starts at 0.

    Raises:
        CallError: `not_found`, `already_running`, `device_busy`, `disk_low`, or `refused` with the reason:
            zero steps to do, a command without a resume command, no whole checkpoint.
    """
    run = ctx.run(args.run_id)
    spec, values = read_changed_spec(run), checked_values(args.set_)
    with ctx.critical():
        state = reconciled(ctx, run, present(run))
    known = read_start(ctx.home.starts_dir, args.start_id)
    if known is None and not state.is_terminal:
        raise already_running(spec, state)
    chosen = None
    if state.is_terminal and (known is None or state.attempt < known.attempt):
        _check_spec(spec)
        spec = _with(ctx, spec, values)
        demand_no_orphans(ctx, spec)
        chosen = yield from _choose(run, spec, args.from_)
    plan = StartPlan(
        start_id=args.start_id,
        run=run,
        spec=spec,
        attempt=state.attempt + 1,
        resume_from=chosen.name if chosen else "",
        queue=args.queue,
        restarts=restarts,
        changes=values,
        by=args.by,
    )
    size = chosen.manifest.bytes if chosen and chosen.manifest else 0
    return (yield from carry(ctx, plan, lambda: _check(ctx, plan, size)))


def present(run: RunDir) -> StateRecord:
    """The state on disk.

    Raises:
        CallError: `not_found`.
    """
    state = read_state(run)
    if state is None:
        raise CallError("not_found", f"run {run.run_id} was removed meanwhile", "photinus ls lists them")
    return state


def _check(ctx: Context, plan: StartPlan, size: int) -> None:
    state = present(plan.run)
    if not state.is_terminal or state.attempt + 1 != plan.attempt:
        raise already_running(plan.spec, state)
    if read_labels(plan.run).archived:
        raise CallError(
            "refused", f"{plan.run.run_id} is archived", f"photinus restore {plan.run.run_id} first"
        )
    check_host(ctx, standing(ctx.home, plan.spec), size)
    demand_code(plan.spec, plan.run)
    demand_program(plan.spec, begins_in(plan.spec, plan.run), resumes=True)


def _check_spec(spec: RunSpec) -> None:
    if spec.kind == "command" and not spec.resume_argv:
        raise CallError(
            "refused",
            f"run {spec.run_id} is a command that was started without --resume-command",
            "start it anew, with --resume-command if it can continue",
        )


def _with(ctx: Context, spec: RunSpec, values: Mapping[str, Any]) -> RunSpec:
    """The spec as this resume wants it.

    Raises:
        CallError: `bad_request`: a command, a key that no resume changes, a value or a text that is none.
    """
    if not values:
        return spec
    if spec.kind != "trainer":
        raise CallError(
            "bad_request", f"{spec.run_id} is a command: it has no configuration", "leave out --set"
        )
    # The device and its processes are what is locked: they are chosen at a start.
    if fixed := fixed_keys(values) or sorted(key for key in values if key.startswith(LOCKED)):
        why = f"a resume cannot change {', '.join(fixed)}: it would be another run from its first step on"
        raise CallError("bad_request", why, "photinus start begins a new run with --set")
    from trainer.config.config_error import ConfigError  # YAML, which an agent that only looks need not load
    from trainer.config.resolve import from_values

    wanted = changed(spec, values)
    try:
        from_values(wanted.config)
    except ConfigError as error:
        raise CallError("bad_request", str(error)) from error
    demand_data(wanted, ctx.home.root)
    return wanted


def _choose(run: RunDir, spec: RunSpec, name: str) -> Generator[None, None, CheckpointInfo | None]:
    """The checkpoint to continue from, proven byte by byte; None where the run has none at all."""
    if spec.kind == "command":
        return None
    passed: list[str] = []
    chosen: CheckpointInfo | None
    if name:
        chosen = yield from in_thread(lambda: _named(run, name))
    else:
        chosen = yield from in_thread(lambda: newest_valid(run.checkpoints, passed.append))
    if chosen is None and passed:
        raise CallError(
            "refused",
            f"none of the {len(passed)} checkpoints of {run.run_id} is whole: {passed[0]}",
            "start a new run, or restore a checkpoint from a copy",
        )
    if chosen is not None and chosen.step >= spec.max_steps:
        raise CallError(
            "refused",
            f"{run.run_id} is at step {chosen.step} of {spec.max_steps}: it would do zero steps",
            f"photinus resume {run.run_id} --set steps=N, N > {chosen.step}",
            {"step": chosen.step, "max_steps": spec.max_steps},
        )
    return chosen


def _named(run: RunDir, name: str) -> CheckpointInfo:
    found = next((info for info in list_checkpoints(run.checkpoints) if info.name == name), None)
    if found is None:
        raise CallError("not_found", f"{run.run_id} has no checkpoint {name}", "photinus show lists them")
    try:
        return CheckpointInfo(found.path, found.step, verify(found.path))
    except CheckpointError as error:
        raise CallError("refused", str(error), "resume from another checkpoint") from error
