"""One attempt: start the trainer, or take over one that lost its supervisor, and stay to its end."""

import time
from dataclasses import replace

from remote.supervisor.attempt_outcome import AttemptOutcome
from remote.supervisor.attempt_watch import AttemptWatch
from remote.supervisor.process.caffeinate import keep_awake
from remote.supervisor.process.child import Adopted, Child
from remote.supervisor.process.launch import launch
from remote.supervisor.supervisor_context import SupervisorContext
from trainer.run.atomic import make_reserve
from trainer.run.locks import Flock
from trainer.run.process.folder_place import place_of
from trainer.run.process.process_record import ProcessRecord, new_token, read_process, write_process
from trainer.run.process.survivors import main_process, survivors
from trainer.run.run_errors import RunError
from trainer.run.states import State

ADOPTED = "adopted: its supervisor was lost"


def run_attempt(post: SupervisorContext, attempt: int, resume_from: str) -> AttemptOutcome:
    """Spawn the trainer and watch it. The token is on disk before the spawn, the identity after it, so that
    whoever comes after a lost supervisor finds the processes."""
    lock = Flock(post.run.trainer_lock)
    if not lock.take(post.patience.lock_s):
        return AttemptOutcome(
            State.FAILED, "trainer.lock is held by a process of an earlier attempt (photinus ls)"
        )
    try:
        record = _announce(post, attempt, resume_from)
        post.desk.look()
        if post.desk.is_asked:
            return never_started(post)
        child = Child(launch(post.spec, post.run, record, lock, resume_from, post.job.umask))
    except OSError as error:
        return AttemptOutcome(State.FAILED, f"could not be started: {error}")
    finally:
        lock.close()  # from here on only the trainer and its forked workers hold it
    record = replace(record, trainer=child.identity, session=child.identity.pid)
    post.owe("process.json", lambda: write_process(post.run, record))
    post.talk(f"attempt {attempt}: {post.spec.kind} is process {child.identity.pid}")
    keep_awake(post.spec, child.identity.pid, post.talk)
    return AttemptWatch(post, record).stay(child)


def adopt(post: SupervisorContext) -> AttemptOutcome:
    """Take over the survivors of the recorded attempt.

    Raises:
        RunError: nothing says whose they are.
    """
    recorded = read_process(post.run)
    if recorded is None:
        raise RunError(f"{post.run.run_id} has no process.json: nothing to adopt")
    main = main_process(survivors(post.run, recorded), recorded)
    place = recorded.place or place_of(
        post.run.path
    )  # an older version noted none; what lives here proves it
    record = replace(recorded, supervisor=post.me, adopted=True, place=place)
    if main:
        record = replace(record, trainer=main.identity, session=main.stat.session)
    post.owe("process.json", lambda: write_process(post.run, record))
    post.desk.expect(record.attempt, record.token)
    if post.journal.record.state is State.STOPPING:
        post.desk.stop(post.journal.record.reason or "stop requested")
    elif post.journal.record.state is State.UNKILLABLE:
        post.desk.kill(post.journal.record.reason)
    post.talk(f"adopting attempt {record.attempt}: {main.pid if main else 'only workers are left'}")
    return AttemptWatch(post, record, ADOPTED).stay(Adopted(main.identity) if main else None)


def never_started(post: SupervisorContext, when: str = "before it was started") -> AttemptOutcome:
    """What a run becomes that was asked to end while nothing of it ran."""
    if post.desk.kill_reason:
        return AttemptOutcome(State.FAILED, post.desk.kill_reason, None, 9)
    return AttemptOutcome(State.STOPPED, f"{post.desk.stop_reason}, {when}")


def _announce(post: SupervisorContext, attempt: int, resume_from: str) -> ProcessRecord:
    """Put the token on disk, then the attempt: process.json is never behind state.json."""
    record = ProcessRecord(
        attempt=attempt,
        token=new_token(),
        boot_id=post.me.boot_id,
        supervisor=post.me,
        started=time.time(),
        place=place_of(post.run.path),
    )
    make_reserve(post.run.reserve)
    write_process(post.run, record)
    post.desk.expect(attempt, record.token)
    post.journal.to(State.STARTING, "", attempt=attempt, resume_from=resume_from, code=None, signal=None)
    return record
