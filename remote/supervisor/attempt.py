"""One attempt: start the trainer, or take over one that lost its supervisor, and stay to its end."""

import time
from dataclasses import replace

from remote.supervisor.attempt_outcome import AttemptOutcome
from remote.supervisor.attempt_watch import AttemptWatch
from remote.supervisor.process.caffeinate import keep_awake
from remote.supervisor.process.child import Adopted, Child
from remote.supervisor.process.launch import launch
from remote.supervisor.process.launchers import launcher_of
from remote.supervisor.process.script_files import note_scripts
from remote.supervisor.process.work_copy import lay_out_code
from remote.supervisor.supervisor_context import SupervisorContext
from trainer.run.disk.atomic import make_reserve
from trainer.run.locks import Flock
from trainer.run.process.folder_place import place_of
from trainer.run.process.process_record import ProcessRecord, new_token, read_process, write_process
from trainer.run.process.survivors import main_process, survivors
from trainer.run.run_errors import RunError
from trainer.run.states import State

ADOPTED = "adopted: its supervisor was lost"


def run_attempt(ctx: SupervisorContext, attempt: int, resume_from: str) -> AttemptOutcome:
    """Spawn the trainer and watch it. The token is on disk before the spawn, the identity after it, so that
    whoever comes after a lost supervisor finds the processes."""
    lock = Flock(ctx.run.trainer_lock)
    if not lock.take(ctx.timeouts.lock_s):
        return AttemptOutcome(
            State.FAILED, "trainer.lock is held by a process of an earlier attempt (photinus ls)"
        )
    try:
        record = _announce(ctx, attempt, resume_from)
        ctx.inbox.look()
        if ctx.inbox.is_asked:
            return never_started(ctx)
        changed = lay_out_code(ctx.spec, ctx.run)
        child = Child(launch(ctx.spec, ctx.run, record, lock, resume_from, ctx.job.umask))
    except OSError as error:
        return AttemptOutcome(State.FAILED, f"could not be started: {error}")
    finally:
        lock.close()  # from here on only the trainer and its forked workers hold it
    record = replace(record, trainer=child.identity, session=child.identity.pid)
    ctx.write_later("process.json", lambda: write_process(ctx.run, record))
    ctx.log(f"attempt {attempt}: {ctx.spec.kind} is process {child.identity.pid}")
    keep_awake(ctx.spec, child.identity.pid, ctx.log)
    return AttemptWatch(ctx, record, _of_scripts(ctx, attempt, changed)).stay(child)


def _of_scripts(ctx: SupervisorContext, attempt: int, changed: str) -> str:
    """Whether a command's scripts are other ones than before: an attempt that runs another text says so."""
    if changed:
        ctx.log(changed)
    if ctx.spec.code or ctx.spec.kind != "command":
        return changed
    argv = launcher_of(ctx.spec).argv(ctx.spec, ctx.run, attempt, "")
    if changed := note_scripts(ctx.run, attempt, argv, ctx.spec.cwd):
        ctx.log(changed)
    return changed


def adopt(ctx: SupervisorContext) -> AttemptOutcome:
    """Take over the survivors of the recorded attempt.

    Raises:
        RunError: nothing says whose they are.
    """
    recorded = read_process(ctx.run)
    if recorded is None:
        raise RunError(f"{ctx.run.run_id} has no process.json: nothing to adopt")
    main = main_process(survivors(ctx.run, recorded), recorded)
    place = recorded.place or place_of(ctx.run.path)  # an older version noted none; what lives here proves it
    record = replace(recorded, supervisor=ctx.me, adopted=True, place=place)
    if main:
        record = replace(record, trainer=main.identity, session=main.stat.session)
    ctx.write_later("process.json", lambda: write_process(ctx.run, record))
    ctx.inbox.expect(record.attempt, record.token)
    if ctx.writer.record.state is State.STOPPING:
        ctx.inbox.stop(ctx.writer.record.reason or "stop requested")
    elif ctx.writer.record.state is State.UNKILLABLE:
        ctx.inbox.kill(ctx.writer.record.reason)
    ctx.log(f"adopting attempt {record.attempt}: {main.pid if main else 'only workers are left'}")
    return AttemptWatch(ctx, record, ADOPTED).stay(Adopted(main.identity) if main else None)


def never_started(ctx: SupervisorContext, when: str = "before it was started") -> AttemptOutcome:
    """What a run becomes that was asked to end while nothing of it ran."""
    if ctx.inbox.kill_reason:
        return AttemptOutcome(State.FAILED, ctx.inbox.kill_reason, None, 9)
    return AttemptOutcome(State.STOPPED, f"{ctx.inbox.stop_reason}, {when}")


def _announce(ctx: SupervisorContext, attempt: int, resume_from: str) -> ProcessRecord:
    """Put the token on disk, then the attempt: process.json is never behind state.json."""
    record = ProcessRecord(
        attempt=attempt,
        token=new_token(),
        boot_id=ctx.me.boot_id,
        supervisor=ctx.me,
        started=time.time(),
        place=place_of(ctx.run.path),
    )
    make_reserve(ctx.run.reserve)
    write_process(ctx.run, record)
    ctx.inbox.expect(attempt, record.token)
    ctx.writer.to(State.STARTING, "", attempt=attempt, resume_from=resume_from, code=None, signal=None)
    return record
