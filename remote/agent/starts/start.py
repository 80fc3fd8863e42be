"""The verb `start`, and what it shares with `resume`: once for each start id, whatever dies in between."""

import contextlib
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any, TypeAlias

from remote.agent.context import Context
from remote.agent.kept.gone import demand_here
from remote.agent.kept.labels import read_labels, write_labels
from remote.agent.processes.lock_holders import Holder, holders
from remote.agent.processes.orphans import demand_no_orphans
from remote.agent.starts.busy import already_running, busy, owner_of
from remote.agent.starts.environment import pinned, training_remedy
from remote.agent.starts.host_paths import demand_data, grounded
from remote.agent.starts.parent import demand_parent, with_parent
from remote.agent.starts.program_check import demand_program
from remote.agent.starts.shipped_code import begins_in, demand_code
from remote.agent.verb import Work
from remote.protocol.arguments import StartArgs
from remote.protocol.errors import CallError
from remote.protocol.views import RunView, StartedRun
from remote.supervisor.admission.admit import Busy, carry_out, take_locks
from remote.supervisor.admission.queue import enqueue
from remote.supervisor.admission.reconcile import reconcile_run
from remote.supervisor.evidence import lines_at_end
from trainer.run.changes import Change, add_change
from trainer.run.home import Home
from trainer.run.layout import RUN_ID, RunDir
from trainer.run.locks import is_free
from trainer.run.process.identity import boot_id
from trainer.run.process.process_record import read_process
from trainer.run.records import claim_start, read_spec, read_start, read_state, write_spec, write_state
from trainer.run.requirements import missing_for_training
from trainer.run.spec import RunSpec, check_environment
from trainer.run.states import State, StateRecord

DISK_MIN = 1 << 20
Check: TypeAlias = Callable[[], None]


@dataclass(frozen=True, slots=True, kw_only=True)
class StartPlan:
    """A start that was checked and waits for its locks."""

    start_id: str
    run: RunDir
    spec: RunSpec
    attempt: int
    resume_from: str
    queue: bool
    restarts: int = 0
    inherited: Mapping[str, str] = field(default_factory=dict)
    changes: Mapping[str, Any] = field(default_factory=dict)
    by: str = ""
    after: str = ""
    hold: bool = False
    tags: tuple[str, ...] = ()

    @property
    def waits(self) -> bool:
        """Whether it goes into the line even where its device is free."""
        return self.hold or bool(self.after)


def start(ctx: Context, args: StartArgs) -> Work[StartedRun]:
    """The verb: a new run. A known start id answers with its run's present state.

    Raises:
        SpecError: a malformed spec or id.
        CallError: `already_running`, `device_busy`, `disk_low`, `need_deploy`, `refused`.
    """
    spec = yield from with_parent(ctx, pinned(grounded(RunSpec.from_json(args.spec))))
    run = ctx.home.run(spec.run_id)
    plan = StartPlan(
        start_id=args.start_id,
        run=run,
        spec=spec,
        attempt=1,
        resume_from="",
        queue=args.queue,
        inherited=check_environment(args.inherited),
        after=ctx.run(args.after).run_id if args.after else "",
        hold=args.hold,
        tags=tuple(args.tags),
    )
    demand_no_orphans(ctx, spec)
    return (yield from carry(ctx, plan, lambda: _check_fresh(ctx, plan)))


def carry(ctx: Context, plan: StartPlan, check: Check) -> Work[StartedRun]:
    """Decide under agent.lock, again for up to `lock_s` while a lock is held by nobody that we know.

    Then, outside the lock, wait for the trainer's first word. In the answer, `known` says that the start id
    was: it is then the present state of the run that it became.
    """
    known = read_start(ctx.home.starts_dir, plan.start_id) is not None
    deadline = time.monotonic() + ctx.lock_s
    while True:
        with ctx.critical():
            run = _attempt(ctx, plan, check, is_last=time.monotonic() >= deadline)
        if run is not None:
            return StartedRun.of((yield from await_hello(ctx, run)), known=known)
        yield


def await_hello(ctx: Context, run: RunDir) -> Work[RunView]:
    """Wait until the run is no longer `starting`; the answer is its view, `starting` if it took too long.

    Raises:
        CallError: `internal`: its supervisor is gone and has written no state; the same start id tries again.
    """
    deadline = time.monotonic() + ctx.hello_s
    while time.monotonic() < deadline:
        is_left = is_free(run.lock)  # asked first: who ends in order writes a state before it lets go
        state = ctx.views.state(run)
        if state is None or state.state is not State.STARTING:
            break
        process = read_process(run) if is_left else None
        if is_left and (process is None or process.attempt < state.attempt):
            last_line = "; ".join(lines_at_end(run.supervisor_log, 1)) or "it said nothing"
            why = f"the supervisor of {run.run_id} ended before it began: {last_line}"
            raise CallError("internal", why, f"look at {run.supervisor_log}")
        yield
    return ctx.view(run)


def _attempt(ctx: Context, plan: StartPlan, check: Check, *, is_last: bool) -> RunDir | None:
    """One try under agent.lock: the run that the start id became, or None to try again."""
    known = read_start(ctx.home.starts_dir, plan.start_id)
    if known is not None:
        run = ctx.home.run(known.run_id)
        state = read_state(run)
        if state is not None and (state.attempt >= known.attempt or state.start_id == plan.start_id):
            state = reconciled(ctx, run, state)
            if state.state is not State.STARTING or not is_free(run.lock):
                return run
            # Its agent died between the record and the spawn, and nobody lives: carried out as it was meant.
            return _carry_out(ctx, _again(plan, run, state), is_last=is_last)
        if run != plan.run:
            why = f"start id {plan.start_id} was already used for {known.run_id}"
            raise CallError("refused", why, "use another")
    if read_state(plan.run) is None:
        demand_here(ctx.home, plan.run.run_id)  # what this start id became may lie in the trash by now
    check()
    return _carry_out(ctx, plan, is_last=is_last)


def _again(plan: StartPlan, run: RunDir, state: StateRecord) -> StartPlan:
    return StartPlan(
        start_id=state.start_id,
        run=run,
        spec=read_spec(run),
        attempt=state.attempt,
        resume_from=state.resume_from,
        queue=plan.queue,
        restarts=state.restarts,
        inherited=plan.inherited,
    )


def reconciled(ctx: Context, run: RunDir, state: StateRecord) -> StateRecord:
    """The state after adopting or marking a run whose supervisor is gone. The caller holds agent.lock."""
    if state.is_terminal or state.state is State.QUEUED or not is_free(run.lock):
        return state
    return reconcile_run(ctx.home, run)


def _carry_out(ctx: Context, plan: StartPlan, *, is_last: bool) -> RunDir | None:
    _demand_named(ctx.home)
    plan.run.create()
    if plan.waits:
        _put_in_line(ctx, plan)
        return plan.run
    locks = take_locks(ctx.home, plan.run, plan.spec)
    if isinstance(locks, Busy):
        owner = owner_of(ctx.index, ctx.views, locks.device) if locks.device else None
        if owner is None and not is_last:
            return None
        if not plan.queue:
            _unmake(plan.run)
            raise busy(plan.spec, locks, owner, _held_by(ctx, locks))
        _put_in_line(ctx, plan)
        return plan.run
    try:
        _record(ctx, plan)
    except BaseException:
        for lock in locks.values():
            lock.close()
        raise
    carry_out(
        ctx.home,
        plan.run,
        locks,
        start_id=plan.start_id,
        attempt=plan.attempt,
        resume_from=plan.resume_from,
        restarts=plan.restarts,
        inherited=plan.inherited,
    )
    return plan.run


def _demand_named(home: Home) -> None:
    """Whether this home is a copy is written in its record: while that is damaged nothing is begun.

    Raises:
        CallError: `refused`.
    """
    if home.damage:
        raise CallError(
            "refused",
            f"{home.damage}: runs that are on can be followed, stopped and killed, but none is begun, "
            "because whether this state root is a copy cannot be told",
            f"{home.move_away}; the next command then gives the host a new id",
        )


def _unmake(run: RunDir) -> None:
    """Take back the empty folders of a start that is refused; a run that is there keeps everything."""
    if run.spec.exists():
        return
    with contextlib.suppress(OSError):
        for folder in (run.control, run.log_dir, run.checkpoints, run.path):
            folder.rmdir()


def _held_by(ctx: Context, locks: Busy) -> list[Holder]:
    return holders(ctx.home.devices_dir / f"{locks.device}.lock") if locks.device else []


def _record(ctx: Context, plan: StartPlan) -> None:
    """The start record and the spec: from here on the start id means this run."""
    claim_start(ctx.home.starts_dir, plan.start_id, plan.run.run_id, plan.attempt)
    if not plan.run.spec.exists():
        write_spec(plan.run, plan.spec)
    if plan.tags:
        write_labels(plan.run, replace(read_labels(plan.run), tags=plan.tags))
    if plan.changes:
        add_change(plan.run, Change(attempt=plan.attempt, values=plan.changes, by=plan.by))


def _put_in_line(ctx: Context, plan: StartPlan) -> None:
    _record(ctx, plan)
    before = read_state(plan.run)
    state = StateRecord(
        run_id=plan.run.run_id,
        state=State.QUEUED,
        seq=before.seq + 1 if before else 1,
        attempt=plan.attempt - 1,
        since=time.time(),
        reason=f"waits for {plan.after or plan.spec.device}",
        start_id=plan.start_id,
        resume_from=plan.resume_from,
        restarts=plan.restarts,
        boot_id=boot_id(),
    )
    # The entry first: a line with a run that is not queued is tidied, a queued run in no line waits for ever.
    enqueue(ctx.home, plan.run.run_id, held=plan.hold, after=plan.after)
    write_state(plan.run, before.seq if before else 0, state)


def _check_fresh(ctx: Context, plan: StartPlan) -> None:
    run, spec = plan.run, plan.spec
    state = read_state(run)
    if state is not None:
        state = reconciled(ctx, run, state)
        if not state.is_terminal:
            raise already_running(read_spec(run), state)
        raise CallError("refused", f"run {run.run_id} exists already", "resume it, or start under another id")
    if run.spec.exists() and read_spec(run) != spec:
        raise CallError("refused", f"run {run.run_id} has another spec already", "start under another id")
    if spec.name != spec.run_id and RUN_ID.fullmatch(spec.name) and ctx.home.run(spec.name).spec.exists():
        why = f"{spec.name} is the id of another run: whoever typed it would mean either"
        raise CallError("refused", why, "give another --name")
    if spec.kind == "trainer" and spec.max_steps < 1:
        raise CallError("refused", "the run would do zero steps", "set steps to 1 or more")
    demand_code(spec, run)
    check_host(ctx, spec, demand_parent(ctx, spec))
    demand_program(spec, begins_in(spec, run))
    demand_data(spec, ctx.home.root)


def check_host(ctx: Context, spec: RunSpec, checkpoint_bytes: int) -> None:
    """Refuse what cannot run here: no environment, no folder, no disk.

    Raises:
        CallError: `need_deploy`, `refused` or `disk_low`.
    """
    if spec.env_hash and not (ctx.home.root / "envs" / spec.env_hash).is_dir():
        raise CallError(
            "need_deploy", f"environment {spec.env_hash} is not on this host", "deploy to it first"
        )
    if spec.kind == "trainer" and (missing := missing_for_training()):
        why = f"this host cannot train: {', '.join(missing)} is missing"
        raise CallError("need_deploy", why, training_remedy())
    known = ctx.devices()
    if absent := [name for name in spec.named_devices if name not in known]:
        raise CallError(
            "refused",
            f"this host has no device {', '.join(absent)}; it has {', '.join(known)}",
            f"--device {known[-1]}",
            {"devices": known},
        )
    if spec.cwd and not spec.code and not ctx.home.root.joinpath(spec.cwd).is_dir():
        raise CallError("refused", f"there is no folder {spec.cwd} on this host", "name another with --cwd")
    free, need = ctx.disk_free(ctx.home.root), max(2 * checkpoint_bytes, DISK_MIN)
    if free < need:
        raise CallError(
            "disk_low",
            f"{free / 1e6:,.1f} MB are free and {need / 1e6:,.1f} MB are needed (twice the last checkpoint)",
            f"free some space on the disk of {ctx.home.root}",
            {"free": free, "need": need},
        )
