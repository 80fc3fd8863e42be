"""kill -9 of any party while any verb is under way; then one contact, and everything is as it must be."""

import random
import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from remote.protocol.errors import CallError
from remote.session.session import Session
from tests.end_to_end.ssh.box import Box, kill_nine
from tests.remote.calling import call
from tests.remote.scripts import argv, noting, spec
from tests.trials import trials
from tests.waiting import wait_until
from trainer.run.locks import is_free
from trainer.run.process.identity import identify
from trainer.run.process.process_record import read_process

BLOCKS, TRIALS = trials(1, 100), trials(10, 20)  # a fresh host for every block
VERBS = ("start", "stop", "kill", "resume", "runs", "processes", "follow")
VICTIMS = ("agent", "supervisor", "trainer", "sshd")
MOST_S = 0.06  # a verb over the loopback takes a few ms to some 40 ms
Record = Callable[[str, object], None]

STEADY = (
    "import signal, sys, time\n"
    "signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))\n"
    "print('up', flush=True)\n"
    "while True:\n    time.sleep(60)\n"
)


@dataclass(slots=True)
class Trial:
    """One run, one verb, one death."""

    box: Box
    session: Session
    verb: str
    victim: str
    run_id: str
    ticket: str
    count: Path

    def args(self) -> Mapping[str, Any]:
        """The verb's arguments; the same when it is asked again."""
        if self.verb == "start":
            again = argv(noting(self.count, STEADY))
            one = spec(noting(self.count, STEADY), run_id=self.run_id, resume_argv=again)
            return {"start_id": self.ticket, "spec": one.to_json()}
        if self.verb == "resume":
            return {"start_id": f"r{self.ticket}", "run_id": self.run_id}
        if self.verb in ("stop", "kill"):
            return {"run_id": self.run_id, "req_id": self.ticket}
        return {}

    def prepare(self) -> None:
        """Whatever the verb needs to be there."""
        if self.verb == "start":
            return
        first = Trial(self.box, self.session, "start", "", self.run_id, self.ticket, self.count)
        call(self.session, "start", first.args(), 20.0)
        if self.verb == "resume":
            call(self.session, "kill", {"run_id": self.run_id, "req_id": "k" + self.ticket})
            self.box.wait_state(self.run_id, "failed")

    def ask(self) -> None:
        """The verb; that its answer is lost is no failure."""
        if self.verb == "follow":
            self.session.follow(self.run_id)
            return
        try:
            call(self.session, self.verb, self.args(), 20.0)
        except CallError as error:
            # What has just been killed may be refused in words; the oracle judges what became of it.
            if error.code not in ("refused", "already_running", "timeout", "device_busy", "not_found"):
                raise

    def strike(self) -> bool:
        """kill -9 of the victim, found by our own connection or the run's own record."""
        hello = self.session.hello
        if self.victim == "agent":
            return hello is not None and kill_nine(identify(hello.pid))
        if self.victim == "sshd":
            return self.box.sshd.kill_sessions() > 0
        record = read_process(self.box.run(self.run_id))
        if record is None:
            return False
        return kill_nine(record.supervisor if self.victim == "supervisor" else record.trainer)


@pytest.mark.chaos
@pytest.mark.claim(
    "random kill -9 of agent, supervisor, trainer or sshd session during any verb, then recover"
)
@pytest.mark.timeout(1800)  # make chaos, beside others
@pytest.mark.parametrize("block", range(BLOCKS))
def test_whoever_is_killed_during_whatever_verb_one_contact_puts_it_right(
    box: Box, tmp_path: Path, block: int, record_property: Record
) -> None:
    rng = random.Random(block)
    struck = 0
    with box.session() as session:
        for n in range(block * TRIALS, (block + 1) * TRIALS):
            verb, victim = VERBS[n % len(VERBS)], rng.choice(VICTIMS)
            run_id = f"storm-{_base32(n)}"
            trial = Trial(box, session, verb, victim, run_id, f"t{n}", tmp_path / f"count-{n}")
            trial.prepare()
            asking = threading.Thread(target=trial.ask)
            asking.start()
            time.sleep(rng.uniform(0, MOST_S))  # the moment of death, not a wait for anything
            struck += trial.strike()
            asking.join()
            recover(trial, f"trial {n}: kill -9 of the {victim} during {verb}")
            record_property("trials", n + 1 - block * TRIALS)
    assert struck > TRIALS / 3, "the deaths came too early or too late to mean anything"


def recover(trial: Trial, what: str) -> None:
    box, session = trial.box, trial.session
    session.wait_connected(20.0)
    if trial.verb == "start":  # an answer that was lost is asked for again, under the same start id
        trial.ask()
    listed = call(session, "runs", {}, 20.0)["runs"]
    assert [one["run_id"] for one in listed].count(trial.run_id) == 1, what
    try:
        wait_until(lambda: box.state(trial.run_id) in allowed(trial) and not box.wrongs(), 15.0)
    except TimeoutError:
        raise AssertionError(f"{what}: {box.state(trial.run_id)}, {box.wrongs()}") from None
    starts = len(trial.count.read_bytes()) if trial.count.exists() else 0
    assert starts <= (2 if trial.verb == "resume" else 1), f"{what}: the script was started {starts} times"
    finish(trial, what)


def allowed(trial: Trial) -> tuple[str, ...]:
    """The states that are true afterwards."""
    dead = ("failed", "died") if trial.victim in ("trainer", "supervisor") else ()
    if trial.verb == "stop":
        return ("stopped", *dead)
    if trial.verb == "kill":
        return ("failed", "died")
    if trial.verb == "resume":  # refused where the killed run was not resumable at that moment
        return ("running", "failed", "died")
    return ("running", *dead)


def finish(trial: Trial, what: str) -> None:
    """End the run through the host's own verbs: they work after any death."""
    args = {"run_id": trial.run_id, "req_id": f"e{trial.ticket}"}
    call(trial.session, "kill", args, 20.0)
    trial.box.wait_state(trial.run_id, "failed", "stopped", "died")
    trial.box.wait_right()
    for lock in ("lock", "trainer.lock"):
        assert is_free(trial.box.run(trial.run_id).path / lock), f"{what}: {lock} is stuck at the end"


def test_the_oracle_sees_a_killed_supervisor_before_anybody_has_looked(box: Box, tmp_path: Path) -> None:
    """The control: without a contact the same death is found wrong."""
    with box.session() as session:
        run_id = box.start(session, STEADY)
        assert box.wrongs() == []
    assert kill_nine(box.record(run_id).supervisor)
    wait_until(box.wrongs, 5.0, "the kernel to have ended it")
    with pytest.raises(AssertionError, match="nobody supervises it"):
        box.wait_right(timeout=0.3)
    with box.session() as session:
        call(session, "runs")
        box.wait_right()


def _base32(number: int) -> str:
    letters = "abcdefghijklmnopqrstuvwxyz234567"
    return "".join(letters[number >> shift & 31] for shift in (25, 20, 15, 10, 5, 0))
