"""How a session reaches its host: on a thread of its own, so that nothing of it ever waits."""

import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from remote.hosts.host import LOCAL, Host
from remote.protocol.errors import CallError, ErrorCode, Question, QuestionError, UnreachableError
from remote.session.link.dialer import Dialer, DialResult
from remote.session.link.link_state import LinkState, Timings
from remote.session.session import Session, connect
from remote.session.updates import LinkChanged
from remote.transport.base import AgentExit, Answers, ConnectAttempt, Transport
from remote.transport.local import LocalPipe
from tests.remote.calling import call
from tests.waiting import wait_until

QUICK = Timings(ping_s=0.1, lagging_s=0.3, lost_s=0.9, hello_s=10.0, backoff_s=(0.05,), connect_s=(0.2, 0.4))
FAR = Host("far", address="me@far")


class Hanging:
    """An opener that hangs until it is let go, and then succeeds or fails."""

    def __init__(self, outcome: Callable[[], Transport] | None = None) -> None:
        self.go, self.dials, self._outcome = threading.Event(), list[ConnectAttempt](), outcome

    def __call__(self, host: Host, dial: ConnectAttempt) -> Transport:
        self.dials.append(dial)
        dial.say("tcp")
        self.go.wait(20.0)
        if self._outcome is None:
            raise OSError("let go")
        return self._outcome()


class Quiet:
    """A transport that says nothing, and remembers that it was closed."""

    def __init__(self) -> None:
        self.closed = threading.Event()

    def read(self) -> bytes:
        self.closed.wait()
        return b""

    def talk(self) -> bytes:
        self.closed.wait()
        return b""

    def write(self, data: bytes) -> None:
        return

    def close(self) -> AgentExit:
        self.closed.set()
        return AgentExit("closed")


@pytest.fixture
def hanging() -> Iterator[Hanging]:
    opener = Hanging()
    yield opener
    opener.go.set()


def test_a_hanging_connect_blocks_neither_calls_nor_close(home: Path, hanging: Hanging) -> None:
    session = Session(FAR, opener=hanging, timings=replace(QUICK, connect_s=(60.0, 60.0))).start()
    wait_until(lambda: session.link.stage == "tcp", 5.0, "the stage")
    with pytest.raises(UnreachableError):
        call(session, "runs", timeout=0.2)
    session.close()
    assert not hanging.go.is_set(), "neither waited for the connect"
    assert hanging.dials[0].gave_up.is_set()


def test_a_dial_that_keeps_no_deadline_is_given_up_and_tried_again(home: Path, hanging: Hanging) -> None:
    with Session(FAR, opener=hanging, timings=QUICK) as session:
        wait_until(lambda: len(hanging.dials) == 2, 10.0, "the second attempt")
        assert hanging.dials[0].gave_up.is_set()
        losses = [one.link.reason for one in session.drain() if isinstance(one, LinkChanged)]
        assert "no answer in 0.4 s (at tcp)" in losses


@pytest.mark.parametrize("closes_first", [True, False])
def test_what_a_dial_opens_too_late_is_closed(home: Path, closes_first: bool) -> None:
    late = Quiet()
    opener = Hanging(lambda: late)
    session = Session(FAR, opener=opener, timings=QUICK).start()
    wait_until(lambda: opener.dials, 5.0, "the dial")
    if closes_first:
        session.close()
    else:
        wait_until(lambda: len(opener.dials) == 2, 10.0, "the next attempt")
        session.close()
    opener.go.set()
    assert late.closed.wait(5.0)


def test_no_host_delays_another(home: Path, hanging: Hanging) -> None:
    slow = Session(FAR, opener=hanging, timings=replace(QUICK, connect_s=(60.0, 60.0))).start()
    try:
        with connect(LOCAL, timings=replace(QUICK, connect_s=(2.0, 10.0))) as session:
            assert call(session, "runs")["runs"] == []
        assert slow.link.phase == "connecting"
    finally:
        slow.close()


def test_an_opener_with_a_fault_is_told_and_does_not_end_the_session(home: Path) -> None:
    def faulty(_host: Host, _dial: ConnectAttempt) -> Transport:
        raise RuntimeError("oops")

    session = Session(FAR, opener=faulty, timings=QUICK).start()
    with pytest.raises(CallError, match="oops") as caught:
        session.wait_connected(5.0)
    assert caught.value.code == "internal"
    session.close()


class Asking:
    """An opener that wants an answer, and then reaches this very machine."""

    def __init__(self, question: Question, code: ErrorCode) -> None:
        self.tries, self._question, self._code = 0, question, code

    def __call__(self, host: Host, dial: ConnectAttempt) -> Transport:
        self.tries += 1
        have = {
            "passphrase": dial.answers.passphrases.get(self._question.subject) == "sesame",
            "host_key": self._question.fingerprint in dial.answers.accepted_keys,
            "proxy_command": self._question.fingerprint in dial.answers.accepted_proxies,
        }
        if not have[self._question.kind]:
            raise QuestionError(self._code, "asked", "answer", self._question)
        return LocalPipe(LOCAL)


@pytest.mark.parametrize(
    ("kind", "code", "phase"),
    [
        ("passphrase", "needs_passphrase", "needs_passphrase"),
        ("host_key", "key_unknown", "key_unknown"),
        ("proxy_command", "proxy_unconfirmed", "refused"),
    ],
)
def test_a_question_is_held_until_it_is_answered_and_never_retried(
    home: Path, kind: str, code: ErrorCode, phase: str
) -> None:
    question = Question(kind, "far", "subject", fingerprint="SHA256:x")  # type: ignore[arg-type]
    opener = Asking(question, code)
    with Session(FAR, opener=opener, timings=replace(QUICK, connect_s=(5.0, 5.0))) as session:
        with pytest.raises(QuestionError) as caught:
            session.wait_connected(5.0)
        assert caught.value.question == question
        assert (session.link.phase, session.link.question) == (phase, question)
        before = time.monotonic()
        wait_until(lambda: time.monotonic() - before > 0.5, 2.0, "some ticks")
        assert opener.tries == 1
        session.answer(question, "sesame")
        wait_until(lambda: session.link.phase == "connected", 10.0, "the link")
        assert opener.tries == 2
        assert call(session, "runs")["runs"] == []


def test_a_hard_stop_has_its_own_phase_and_r_tries_again(home: Path) -> None:
    changed = [True]

    def opener(_host: Host, _dial: ConnectAttempt) -> Transport:
        if changed.pop() if changed else False:
            raise CallError("key_changed", "both fingerprints", "ask")
        return LocalPipe(LOCAL)

    with Session(FAR, opener=opener, timings=replace(QUICK, connect_s=(5.0, 5.0))) as session:
        wait_until(lambda: session.link.phase == "key_changed", 5.0, "the stop")
        assert session.link.reason == "both fingerprints"
        session.reconnect_now()
        wait_until(lambda: session.link.phase == "connected", 10.0, "the link")


def test_answers_can_be_given_beforehand(home: Path) -> None:
    opener = Asking(Question("host_key", "far", "s", fingerprint="SHA256:x"), "key_unknown")
    answers = Answers(accepted_keys={"SHA256:x"})
    with connect(
        FAR, opener=opener, answers=answers, timings=replace(QUICK, connect_s=(5.0, 5.0))
    ) as session:
        assert opener.tries == 1
        assert session.link.is_up


class Posted:
    """A dialling whose posts are run at once, on a clock of the test's own."""

    def __init__(self, timings: Timings) -> None:
        self.now, self.ended = 0.0, threading.Event()
        self.take: float | None = 0.0
        self.stage = "auth"
        self.dialling = Dialer(FAR, self._open, timings, Answers(), lambda: self.now, lambda act: act())
        self.deadlines: list[float] = []

    def _open(self, _host: Host, dial: ConnectAttempt) -> Transport:
        self.deadlines.append(dial.deadline_s)
        dial.say(self.stage)
        if self.take is None:
            raise TimeoutError("too slow")
        self.now += self.take
        return Quiet()

    def dial(self, take: float | None, stage: str = "auth") -> float:
        """The deadline of a dial that takes so long, or fails (None) at `stage`."""
        self.take, self.stage = take, stage
        self.ended.clear()

        def end(outcome: DialResult) -> None:
            if not isinstance(outcome, Exception):
                self.dialling.proved()
            self.ended.set()

        self.dialling.begin(lambda: None, end)
        assert self.ended.wait(5.0)
        return self.deadlines[-1]


def test_a_dial_may_take_three_times_the_last_good_one_within_bounds() -> None:
    posted = Posted(Timings())
    assert posted.dial(0.1) == 15.0, "the first one knows nothing yet"
    assert posted.dial(1.5) == 2.0
    assert posted.dial(30.0) == 4.5
    assert posted.dial(1.0) == 15.0


def test_a_host_that_speaks_but_slowly_is_given_more_time_and_a_dead_one_is_not() -> None:
    posted = Posted(Timings())
    posted.dial(0.1)
    assert [posted.dial(None, "tcp") for _ in range(3)] == [2.0, 2.0, 2.0]
    assert [posted.dial(None, "auth") for _ in range(8)][::7] == [2.0, 15.0]
    posted.dial(0.1)
    assert posted.dial(0.1) == 2.0


def test_the_first_pause_after_a_loss_is_the_shortest(home: Path) -> None:
    timings = Timings(backoff_s=(0.01, 0.02, 30.0), jitter=0.0, connect_s=(5.0, 5.0))

    def opener(host: Host, _dial: ConnectAttempt) -> Transport:
        raise OSError("down")

    with Session(FAR, opener=opener, timings=timings) as session:
        seen: list[LinkState] = []

        def pauses() -> list[float]:
            seen.extend(one.link for one in session.drain() if isinstance(one, LinkChanged))
            return [link.retry_in_s for link in seen if link.phase == "retrying"]

        wait_until(lambda: len(pauses()) == 3, 5.0, "three pauses")
        assert pauses() == [0.01, 0.02, 30.0]
        session.reconnect_now()
        wait_until(lambda: len(pauses()) == 4, 5.0, "R to cut the pause short")


class Sleeper:
    """A monotonic clock that stands still while the laptop sleeps, as Linux's does."""

    def __init__(self) -> None:
        self._slept = 0.0

    def __call__(self) -> float:
        return time.monotonic() - self._slept

    def sleep(self, seconds: float) -> None:
        self._slept += seconds


def test_waking_from_sleep_cuts_a_pause_short(home: Path) -> None:
    clock, tries = Sleeper(), list[float]()

    def opener(_host: Host, _dial: ConnectAttempt) -> Transport:
        tries.append(time.monotonic())
        raise OSError("down")

    with Session(FAR, opener=opener, clock=clock, timings=Timings(backoff_s=(60.0,))) as session:
        wait_until(lambda: session.link.phase == "retrying", 5.0, "the pause")
        clock.sleep(3.0)
        before = time.monotonic()
        wait_until(lambda: time.monotonic() - before > 0.6, 2.0, "some ticks")
        assert len(tries) == 1, "three seconds are no sleep"
        clock.sleep(6.0)
        wait_until(lambda: len(tries) == 2, 5.0, "the attempt")


def test_what_was_dialled_before_a_sleep_is_dialled_again(home: Path, hanging: Hanging) -> None:
    clock = Sleeper()
    with Session(FAR, opener=hanging, clock=clock, timings=Timings(connect_s=(60.0, 60.0))):
        wait_until(lambda: len(hanging.dials) == 1, 5.0, "the dial")
        clock.sleep(6.0)
        wait_until(lambda: len(hanging.dials) == 2, 5.0, "the next one")
        assert hanging.dials[0].gave_up.is_set()
