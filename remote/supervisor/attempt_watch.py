"""Watching one attempt: greet it, obey requests, clear what it leaves, and say how it ended."""

import signal
import time
from dataclasses import replace

from remote.supervisor.attempt_outcome import AttemptOutcome, ProcessEnd, outcome_of
from remote.supervisor.evidence import explained, was_killed
from remote.supervisor.log_times import LogTimes
from remote.supervisor.process.child import Watched
from remote.supervisor.process.command_line import named
from remote.supervisor.process.launchers import launcher_of
from remote.supervisor.process.out_of_memory import OomWatch
from remote.supervisor.process.termination import clear, deliver, wake
from remote.supervisor.stalled import Stalled
from remote.supervisor.supervisor_context import SupervisorContext, last_word
from trainer.run.locks import is_free
from trainer.run.process.identity import Identity
from trainer.run.process.process_record import ProcessRecord
from trainer.run.process.survivors import Survivor, settled
from trainer.run.records import read_hello
from trainer.run.states import State

WAKE_S = 1.0
LOOK_S = 0.5
UNKILLABLE_SCAN_S = 1.0


class AttemptWatch:
    """From the spawn (or the adoption) to the end of the last process. `words` is the reason of `running`."""

    def __init__(self, ctx: SupervisorContext, record: ProcessRecord, words: str = "") -> None:
        self._ctx = ctx
        self._record = record
        self._words = words
        self._greeted = False
        self._stopping = False
        self._signalled = False
        self._killed = self._over = ""
        self._next_wake = 0.0
        self._next_look = 0.0
        self._stalled = Stalled(ctx, record)
        self._times = LogTimes(ctx.run, record.attempt)
        self._memory = OomWatch(record.trainer.pid) if record.trainer else None

    def stay(self, trainer: Watched | None) -> AttemptOutcome:
        """How it ended, when nothing of it lives any more. None: the trainer is gone, workers are left."""
        ctx = self._ctx
        self._tick(trainer)
        while trainer and not self._killed and not trainer.wait(ctx.timeouts.poll_s):
            self._tick(trainer)
            if self._stalled.is_over():
                break
        outlived = [] if self._stalled.is_over() else self._see_out()
        if left := clear(ctx.run, self._record, ctx.timeouts, ctx.log):
            self._hold_on(left)
        self._hold_on_unseen()
        ending = trainer.reap() if trainer else ProcessEnd(known=False)
        word = last_word(ctx)
        if word is not None and word.outcome == "stopped" and self._stopping:
            word = replace(word, reason=ctx.inbox.stop_reason)  # who asked says more than which signal came
        outcome = outcome_of(
            ctx.spec.kind,
            ending,
            word,
            stop_asked=self._stopping,
            killed=self._killed,
            left=outlived,
        )
        if self._over and outcome.state is State.STOPPED and self._over not in outcome.reason:
            outcome = replace(outcome, reason=f"{self._over}: {outcome.reason}")
        has_finished = ctx.spec.kind == "trainer" and outcome.state is State.SUCCEEDED
        if self._stalled.why and not (self._killed or self._stopping or has_finished):
            return AttemptOutcome(State.FAILED, self._stalled.reason, ending.code, ending.signal)
        if self._killed or self._memory is None or outlived:
            return outcome
        memory = self._memory.verdict(was_killed=was_killed(ending))
        return explained(outcome, ending, word, memory, ctx.run)

    def _see_out(self) -> list[str]:
        """Whoever outlives the first process may end by itself; the names of those that do not.

        A stop that was asked for is meant for them, too: what the first process did not hand on they get from
        us, the stop signal and then SIGTERM, and all the time that they need. A kill ends the waiting.
        """
        ctx, signalled = self._ctx, dict[Identity, int]()
        began = time.monotonic()
        while not self._killed and (left := settled(ctx.run, self._record)):
            is_over = time.monotonic() - began >= ctx.timeouts.linger_s
            if not (self._stopping and ctx.spec.kind == "command"):
                if is_over:
                    return [named(one.pid) for one in left]
            else:
                wanted = (self._stop_signal(), signal.SIGTERM)[: 2 if is_over else 1]
                for one in left:
                    for signum in wanted[signalled.get(one.identity, 0) :]:
                        ctx.log(f"{signum.name} to {named(one.pid)}: it outlived the first process")
                        deliver(one.identity, signum, ctx.log)
                    signalled[one.identity] = len(wanted)
                for name in ctx.inbox.taken_signals():
                    for one in left:
                        deliver(one.identity, self._stop_signal(name), ctx.log)
                wake(ctx.run, self._record, ctx.log)
            time.sleep(min(max(ctx.timeouts.poll_s, (time.monotonic() - began) / 10), UNKILLABLE_SCAN_S))
            self._tick(None)
        return []

    def _tick(self, trainer: Watched | None) -> None:
        self._greet()
        if self._memory is not None and trainer is not None and time.monotonic() >= self._next_look:
            self._next_look = time.monotonic() + LOOK_S
            self._memory.look()
        inbox = self._ctx.inbox
        inbox.look()
        self._deliver(trainer)
        self._times.look()
        self._keep_to_limit()
        if inbox.kill_reason:
            self._killed = inbox.kill_reason
            if self._ctx.writer.record.state is not State.UNKILLABLE:  # an adopted one is not taken back
                self._ctx.writer.to(State.STOPPING, inbox.kill_reason)
        elif inbox.stop_reason:
            self._stop(trainer)
        elif trainer is not None:
            self._stalled.look()
        self._ctx.writer.settle()

    def _deliver(self, trainer: Watched | None) -> None:
        """Signals that somebody asked for, to the first process alone; before its hello they are held."""
        inbox = self._ctx.inbox
        if not self._greeted or trainer is None:
            return
        while inbox.to_deliver:
            request = inbox.to_deliver.pop(0)
            deliver(trainer.identity, signal.Signals[request.signal], self._ctx.log)
            inbox.delivered(request)

    def _keep_to_limit(self) -> None:
        limit = self._ctx.spec.limit_s
        if limit and not self._ctx.inbox.is_asked and time.time() - self._record.started >= limit:
            self._over = f"its time limit of {limit:g} s is over"
            self._ctx.inbox.stop(self._over)

    def _greet(self) -> None:
        """A command's exec is its hello; our trainer writes one when its signal handlers are in place."""
        if self._greeted:
            return
        if self._ctx.spec.kind == "trainer" and not self._has_written_hello():
            return
        self._greeted = True
        if not self._stopping and not self._ctx.inbox.is_asked:
            self._ctx.writer.to(State.RUNNING, self._words)

    def _has_written_hello(self) -> bool:
        return read_hello(self._ctx.run, self._record.attempt, self._record.token) is not None

    def _stop(self, trainer: Watched | None) -> None:
        """One signal, to the trainer alone: its workers must not die first. Before the hello it is held.

        A launcher that a signal would hurt is left to the request file, which its first process reads.
        """
        if not self._stopping:
            self._stopping = True
            held = "" if self._greeted else ", held until its hello"
            self._ctx.writer.to(State.STOPPING, self._ctx.inbox.stop_reason + held)
        if trainer is None or not self._greeted:
            return
        if not self._signalled:
            self._signalled = True
            if not self._ctx.inbox.signals:
                self._ctx.inbox.signals.append("")
        for name in self._ctx.inbox.taken_signals():
            if launcher_of(self._ctx.spec).stops_by_signal:
                deliver(trainer.identity, self._stop_signal(name), self._ctx.log)
        if time.monotonic() >= self._next_wake:
            self._next_wake = time.monotonic() + WAKE_S
            wake(self._ctx.run, self._record, self._ctx.log)

    def _stop_signal(self, name: str = "") -> signal.Signals:
        """The one that was named; else a command's own, and SIGTERM for our trainer, which knows no other."""
        if self._ctx.spec.kind == "command":
            return signal.Signals[name or self._ctx.spec.stop_signal]
        return signal.SIGTERM

    def _hold_on_unseen(self) -> None:
        """Whoever holds trainer.lock is of this run, though it cannot be seen (it became another user's)."""
        ctx = self._ctx
        while not is_free(ctx.run.trainer_lock):
            if found := settled(ctx.run, self._record):
                self._hold_on(found)
                continue
            ctx.writer.to(
                State.UNKILLABLE,
                "a process that cannot be seen holds trainer.lock (another user's: sudo, su, a container?); "
                "the device stays locked until it ends",
            )
            ctx.writer.settle()
            time.sleep(min(UNKILLABLE_SCAN_S, ctx.timeouts.unkillable_s))

    def _hold_on(self, left: list[Survivor]) -> None:
        """Nothing more can be done about a process in the kernel's hands but to keep its device locked."""
        ctx = self._ctx
        while left:
            pids = ", ".join(str(one.pid) for one in left)
            ctx.writer.to(
                State.UNKILLABLE, f"SIGKILL did not end {pids}; locks are held until the kernel lets go"
            )
            ctx.writer.settle()
            for one in left:
                deliver(one.identity, signal.SIGKILL, ctx.log)
            time.sleep(min(UNKILLABLE_SCAN_S, ctx.timeouts.unkillable_s))
            left = settled(ctx.run, self._record)
