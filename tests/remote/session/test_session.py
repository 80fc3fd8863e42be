"""A session over links that break, hang, lie and come back."""

import json
import os
import queue
import signal
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from remote.hosts.host import LOCAL, Host
from remote.protocol.arguments import NoArgs
from remote.protocol.errors import CallError, ProtocolError, TimeoutError_, UnreachableError
from remote.protocol.messages import LINE_LIMIT, MAGIC, PROTO, WINDOW, BytesHeader, encode_result
from remote.protocol.verbs import VERBS
from remote.session.link.link_state import Timings
from remote.session.pending_calls import Call, CallTable
from remote.session.session import Session, connect
from remote.session.updates import AgentTalk, HostSeen, LinkChanged, RunChanged, RunsSeen, Telemetry, Update
from remote.transport.base import AgentExit, ConnectAttempt, Transport
from remote.transport.local import LocalPipe
from tests.remote.calling import call, call_async
from tests.remote.scripts import noting, spec
from tests.waiting import wait_until

QUICK = Timings(ping_s=0.1, lagging_s=0.3, lost_s=2.5, hello_s=10.0, backoff_s=(0.05, 0.1), refresh_s=0.5)


class Drained:
    """Every update of a session so far."""

    def __init__(self, session: Session) -> None:
        self._session = session
        self.updates: list[Update] = []

    def all(self) -> list[Update]:
        self.updates += self._session.drain()
        return self.updates

    def phases(self) -> list[str]:
        return [one.link.phase for one in self.all() if isinstance(one, LinkChanged)]


@pytest.fixture
def quick(home: Path) -> Iterator[Session]:
    with connect(timings=QUICK) as session:
        yield session


def agent_pid(session: Session) -> int:
    assert session.hello is not None
    return session.hello.pid


def test_a_session_connects_says_so_and_lists_the_runs(quick: Session) -> None:
    seen = Drained(quick)
    wait_until(lambda: any(isinstance(one, RunsSeen) for one in seen.all()), 10.0, "the runs")
    assert seen.phases()[:2] == ["connecting", "connected"]
    assert [one.hello.pid for one in seen.updates if isinstance(one, HostSeen)] == [agent_pid(quick)]
    wait_until(lambda: quick.link.rtt_s is not None, 10.0, "a round trip")
    assert quick.link.phase == "connected"


def test_the_agent_is_in_a_session_of_its_own_so_that_ctrl_c_is_not_for_it(quick: Session) -> None:
    assert os.getsid(agent_pid(quick)) == agent_pid(quick) != os.getsid(0)


def test_closing_ends_the_agent_and_fails_what_waits(home: Path) -> None:
    session = connect(timings=QUICK)
    pid = agent_pid(session)
    session.close()
    wait_until(lambda: not Path(f"/proc/{pid}").exists(), 10.0, "the agent to end")
    with pytest.raises(UnreachableError):
        call(session, "runs", timeout=1.0)


def test_a_call_after_the_end_is_answered_at_once_and_once(home: Path) -> None:
    session = connect(timings=QUICK)
    session.close()
    answers: list[object] = []
    call_async(session, "runs", {}, answers.append)
    assert [type(one) for one in answers] == [UnreachableError]


def test_calls_made_while_the_session_ends_are_all_answered(home: Path) -> None:
    answers: list[object] = []
    asked = 0
    session = connect(timings=QUICK)
    ending = threading.Thread(target=session.close)
    ending.start()
    while ending.is_alive():
        call_async(session, "ping", {"n": 1}, answers.append)
        asked += 1
        time.sleep(0.0005)
    wait_until(lambda: len(answers) >= asked, 5.0, "every answer")
    assert len(answers) == asked


def test_a_request_that_no_line_holds_is_refused_here_and_costs_no_link(quick: Session) -> None:
    pid = agent_pid(quick)
    with pytest.raises(CallError, match="cannot be sent") as caught:
        call(quick, "start", {"start_id": "s1", "spec": {"env": {"A": "x" * LINE_LIMIT}}})
    assert caught.value.code == "bad_request"
    assert call(quick, "status")
    assert agent_pid(quick) == pid


def test_a_killed_agent_is_replaced_and_the_boot_is_the_same(quick: Session) -> None:
    seen, first = Drained(quick), agent_pid(quick)
    os.kill(first, signal.SIGKILL)
    wait_until(lambda: agent_pid(quick) != first and quick.link.phase == "connected", 15.0, "another agent")
    assert call(quick, "ping", {"n": 1})["n"] == 1
    phases = seen.phases()
    assert phases[phases.index("lost") :][:4] == ["lost", "retrying", "connecting", "connected"]
    back = [one for one in seen.updates if isinstance(one, LinkChanged) and one.back_after_s is not None]
    assert len(back) == 1
    assert not any(one.rebooted for one in seen.updates if isinstance(one, HostSeen))
    lost = next(one for one in seen.updates if isinstance(one, LinkChanged) and one.link.phase == "lost")
    assert "signal 9" in lost.link.reason


def test_dialled_anew_another_agent_answers_and_nothing_was_lost(quick: Session) -> None:
    seen, first = Drained(quick), agent_pid(quick)
    quick.redial()
    wait_until(lambda: agent_pid(quick) != first and quick.link.phase == "connected", 15.0, "another agent")
    assert call(quick, "ping", {"n": 1})["n"] == 1
    assert not {"lost", "retrying"} & set(seen.phases())
    assert all(one.back_after_s is None for one in seen.updates if isinstance(one, LinkChanged))
    wait_until(lambda: not Path(f"/proc/{first}").exists(), 10.0, "the old agent to be gone")


def test_a_call_that_may_not_be_sent_twice_holds_a_redial_up() -> None:
    calls = CallTable()
    sent = SimpleNamespace(send=lambda _verb, _args: 1)
    harmless = next(verb for verb in VERBS.values() if verb.repeatable)
    calls.add(Call(harmless, NoArgs(), 0.0, lambda _: None, sent=1))
    assert not calls.has_delicate
    delicate = next(verb for verb in VERBS.values() if not verb.repeatable)
    calls.add(Call(delicate, NoArgs(), 0.0, lambda _: None))
    assert not calls.has_delicate  # it waits for a link itself
    calls.send(sent)  # type: ignore[arg-type]
    assert calls.has_delicate


def test_a_hung_agent_is_lagging_then_lost_then_replaced(quick: Session) -> None:
    wait_until(lambda: quick.link.rtt_s is not None, 10.0, "a round trip")
    seen, first = Drained(quick), agent_pid(quick)
    os.kill(first, signal.SIGSTOP)
    wait_until(lambda: agent_pid(quick) != first and quick.link.phase == "connected", 20.0, "another agent")
    phases = seen.phases()
    assert phases.index("lagging") < phases.index("lost")
    wait_until(lambda: not Path(f"/proc/{first}").exists(), 10.0, "the hung agent to be gone")


def test_a_start_whose_agent_dies_is_sent_again_and_is_one_run(quick: Session, tmp_path: Path) -> None:
    count = tmp_path / "count"
    answers: list[object] = []
    args = {"start_id": "s1", "spec": spec(noting(count)).to_json()}
    os.kill(agent_pid(quick), signal.SIGSTOP)
    call_async(quick, "start", args, answers.append, 30.0)
    os.kill(agent_pid(quick), signal.SIGKILL)
    wait_until(lambda: answers, 20.0, "the answer")
    assert isinstance(answers[0], dict)
    assert answers[0]["attempt"] == 1
    wait_until(count.exists, 10.0, "the script")
    assert count.read_bytes() == b"x"


def test_what_may_not_be_sent_twice_fails_with_the_link(quick: Session) -> None:
    answers: list[object] = []
    os.kill(agent_pid(quick), signal.SIGSTOP)
    call_async(quick, "reap", {"run_id": "a-abcdef", "pid": 2, "start": 1}, answers.append, 30.0)
    wait_until(lambda: answers, 20.0, "the failure")
    assert isinstance(answers[0], UnreachableError)


def test_no_answer_of_a_reachable_host_is_a_timeout(home: Path) -> None:
    with connect(timings=Timings()) as session:
        os.kill(agent_pid(session), signal.SIGSTOP)
        with pytest.raises(TimeoutError_) as caught:
            call(session, "runs", timeout=0.2)
        assert caught.value.exit_code == 7
        os.kill(agent_pid(session), signal.SIGCONT)
        assert call(session, "runs", timeout=10.0)["runs"] == []


def test_a_host_that_cannot_be_reached_is_unreachable_and_says_why(home: Path) -> None:
    def broken(host: Host, _dial: ConnectAttempt) -> Transport:
        raise OSError("no route to host")

    with pytest.raises(UnreachableError, match="no route") as caught:
        connect(timeout=0.5, opener=broken, timings=QUICK)
    assert caught.value.exit_code == 5
    session = Session(opener=broken, timings=QUICK).start()
    with pytest.raises(UnreachableError, match="no route"):
        call(session, "runs", timeout=0.5)
    session.close()


def test_an_agent_that_cannot_start_shows_its_last_words(home: Path) -> None:
    with pytest.raises(UnreachableError, match="code 1"):
        connect(Host("local", python="/bin/false"), timeout=1.0, timings=QUICK)
    with pytest.raises(UnreachableError, match="exited"):
        connect(Host("local", python="/bin/true"), timeout=1.0, timings=QUICK)


def test_an_unsafe_state_root_is_refused_and_not_tried_again_until_asked(home: Path) -> None:
    home.mkdir(mode=0o755)
    home.chmod(0o755)
    session = Session(timings=QUICK).start()
    try:
        with pytest.raises(CallError, match="chmod 700") as caught:
            session.wait_connected(15.0)
        assert caught.value.code == "refused"
        assert session.link.phase == "refused"
        with pytest.raises(CallError, match="chmod 700"):
            call(session, "runs", timeout=5.0)
        home.chmod(0o700)
        session.reconnect_now()
        wait_until(lambda: session.link.phase == "connected", 15.0, "the second try")
        assert call(session, "runs")["runs"] == []
    finally:
        session.close()


class Scripted:
    """A host that says what a test wants."""

    def __init__(self, *lines: bytes) -> None:
        self._lines = list(lines)
        self._gone = threading.Event()
        self.heard: list[bytes] = []

    def read(self) -> bytes:
        if self._lines:
            return self._lines.pop(0)
        self._gone.wait()
        return b""

    def talk(self) -> bytes:
        self._gone.wait()
        return b""

    def write(self, data: bytes) -> None:
        self.heard.append(data)

    def close(self) -> AgentExit:
        self._gone.set()
        return AgentExit("closed")


class Answering(Scripted):
    """Answers each verb with what a test wants, one after another; the last again and again."""

    def __init__(self, **answers: list[object]) -> None:
        super().__init__()
        usual: dict[str, list[object]] = {
            "runs": [{"runs": [], "wall": 1.0}],
            "ping": [{"n": 1, "wall": 1.0}],
        }
        self._answers = usual | answers
        self._said: queue.SimpleQueue[bytes] = queue.SimpleQueue()
        self._said.put(MAGIC + hello_line())

    def read(self) -> bytes:
        return self._said.get()

    def write(self, data: bytes) -> None:
        super().write(data)
        request = json.loads(data)
        if (left := self._answers.get(request["verb"])) is not None:
            self._said.put(encode_result(request["id"], left.pop(0) if len(left) > 1 else left[0]))

    def close(self) -> AgentExit:
        self._said.put(b"")
        return super().close()


class Flooding(Scripted):
    """Opens the stream that is asked for and sends of it without end, a piece each time it is let."""

    PIECE = 1 << 16

    def __init__(self) -> None:
        super().__init__(MAGIC + hello_line())
        self.sent = 0
        self._asked = threading.Event()

    def write(self, data: bytes) -> None:
        super().write(data)
        request = json.loads(data)
        if request["verb"] == "tail":
            cursor = {"gen": 1, "file": "001.log", "offset": 0}
            self._lines.append(encode_result(request["id"], {"stream": 1, "cursor": cursor, "behind": 0}))
            self._asked.set()

    def read(self) -> bytes:
        if self._lines:
            return self._lines.pop(0)
        while not self._asked.wait(0.01) and not self._gone.is_set():
            continue
        if self._lines:
            return self._lines.pop(0)
        if self._gone.is_set() or self.sent > 4 * WINDOW:
            return super().read()
        time.sleep(0.01)  # so that the count of what was sent is not that of what lies in a queue
        head = BytesHeader(
            stream=1, run="a-abcdef", what="log", file="001.log", gen=1, off=self.sent, n=self.PIECE
        )
        self.sent += self.PIECE
        return head.encode() + b"x" * self.PIECE


def hello_line(major: int = PROTO[0]) -> bytes:
    hello = {
        "proto": [major, 0], "version": "9.9\x1b[31m", "host_id": "h", "boot_id": "b", "agent_epoch": "e",
        "wall": 1.0, "pid": 1, "platform": "p", "python": "3", "devices": ["cpu"],
    }  # fmt: skip
    return encode_result(1, hello)


def answered(**answers: list[object]) -> tuple[Session, list[Answering]]:
    opened: list[Answering] = []

    def opener(_host: Host, _dial: ConnectAttempt) -> Answering:
        opened.append(Answering(**answers))
        return opened[-1]

    return Session(opener=opener, timings=replace(Timings(), backoff_s=(0.0,)), telemetry_s=0.01), opened


def test_an_answer_that_makes_no_sense_fails_its_own_call_and_costs_no_link() -> None:
    session, opened = answered(
        status=[{"host_id": 7}], telemetry=[{"cpu_percent": "much"}, {"cpu_percent": 5.0}]
    )
    with session:
        session.wait_connected(10.0)
        with pytest.raises(ProtocolError, match=r"makes no sense: .*host_id") as caught:
            call(session, "status")
        assert (caught.value.code, "update" in caught.value.remedy) == ("internal", True)
        assert call(session, "ping", {"n": 1})["n"] == 1
        seen = Drained(session)

        def readings() -> list[Telemetry]:
            return [one for one in seen.all() if isinstance(one, Telemetry)]

        wait_until(readings, 10.0, "a reading that makes sense")
        assert readings()[0].load.cpu_percent == 5.0
        assert len(opened) == 1


def test_a_list_of_runs_that_makes_no_sense_ends_the_connection() -> None:
    """The control: without its runs a session knows nothing, and a new agent may say them."""
    session, opened = answered(runs=[{"runs": [{"run_id": "a-abcdef"}], "wall": 1.0}])
    with session:
        wait_until(lambda: len(opened) > 1, 10.0, "another connection")


def test_another_major_version_refuses_all_but_status_stop_and_kill(home: Path) -> None:
    transport = Scripted(b"Welcome!\n" + MAGIC + hello_line(PROTO[0] + 1), encode_result(2, {"counts": {}}))
    session = Session(opener=lambda _host, _dial: transport, timings=Timings()).start()
    try:
        with pytest.raises(CallError, match="only status, stop and kill") as caught:
            session.wait_connected(10.0)
        assert (caught.value.code, caught.value.exit_code) == ("incompatible", 3)
        start: dict[str, Any] = {"start_id": "s1", "spec": {}}
        resume = {"start_id": "s1", "run_id": "a-abcdef"}
        for verb, args in (("runs", {}), ("start", start), ("resume", resume)):
            with pytest.raises(CallError, match="protocol"):
                call(session, verb, args, timeout=5.0)
        assert session.link.phase == "refused"
        answers: list[object] = []
        end = {"run_id": "a-abcdef", "req_id": "r1"}
        for verb, args in (("status", {}), ("stop", end), ("kill", end)):
            call_async(session, verb, args, answers.append, 5.0)

        def sent() -> set[str]:
            return {json.loads(line)["verb"] for line in transport.heard}

        wait_until(lambda: {"kill", "stop", "status"} <= sent(), 5.0, "all three")
        assert not {"runs", "start", "resume"} & sent()
    finally:
        session.close()


def test_noise_before_the_agent_is_told_and_cleaned(home: Path) -> None:
    session = Session(
        opener=lambda _host, _dial: Scripted(b"\x1b[1mmotd\x07\n" + MAGIC + hello_line()), timings=QUICK
    ).start()
    seen = Drained(session)
    wait_until(lambda: any(isinstance(one, AgentTalk) for one in seen.all()), 10.0, "the noise")
    assert [one.text for one in seen.updates if isinstance(one, AgentTalk)] == ["motd\n"]
    assert session.hello is not None
    assert session.hello.version == "9.9"
    session.close()


@pytest.mark.parametrize(
    "line",
    [b"garbage\n", b'{"id":2,"ok":true,"result":{"runs":"none"}}\n', b'{"event":"state","run":{"seq":1}}\n'],
)
def test_a_host_that_talks_nonsense_is_lost_and_tried_again(home: Path, line: bytes) -> None:
    opened: list[Transport] = []

    def opener(host: Host, _dial: ConnectAttempt) -> Transport:
        opened.append(Scripted(MAGIC + hello_line(), line) if len(opened) < 2 else LocalPipe(host))
        return opened[-1]

    with Session(opener=opener, timings=QUICK) as session:
        wait_until(
            lambda: len(opened) == 3 and session.link.phase == "connected", 20.0, "a host that makes sense"
        )


def test_a_host_that_floods_a_stream_is_cut_off(home: Path) -> None:
    """Nobody drains here, so nothing is acknowledged; an agent of ours would wait behind 1 MiB."""
    hosts: list[Flooding] = []

    def opener(_host: Host, _dial: ConnectAttempt) -> Transport:
        hosts.append(Flooding())
        return hosts[-1]

    with Session(opener=opener, timings=QUICK) as session:
        session.follow("a-abcdef")
        wait_until(lambda: len(hosts) == 2, 20.0, "the first one to be cut off")
        lost = [one.link.reason for one in session.drain() if isinstance(one, LinkChanged)]
        assert any("more of a file than it was asked for" in reason for reason in lost)
        assert hosts[0].sent < 2 * WINDOW  # it would send four


def test_what_a_host_or_its_ssh_says_of_a_loss_is_cleaned(home: Path) -> None:
    def opener(_host: Host, _dial: ConnectAttempt) -> Transport:
        raise OSError("\x1b]0;owned\x07\x9b31m\u202egone\nfor good")

    with Session(opener=opener, timings=QUICK) as session:
        wait_until(lambda: session.link.phase == "retrying", 10.0, "the loss")
        assert session.link.reason.endswith("gone for good")
        assert session.link.reason.isprintable()


def test_state_changes_are_pushed_and_an_older_one_is_dropped(quick: Session) -> None:
    run_id = call(quick, "start", {"start_id": "s1", "spec": spec("pass").to_json()})["run_id"]
    seen = Drained(quick)
    assert quick.wait_run(run_id, lambda run: run.state == "succeeded", 10.0)
    seqs = [one.run.seq for one in seen.all() if isinstance(one, RunChanged)]
    assert seqs == sorted(seqs)


def test_telemetry_comes_by_itself_when_asked_for_and_not_otherwise(home: Path) -> None:
    with connect(timings=QUICK, telemetry_s=0.1) as wanting, connect(timings=QUICK) as silent:
        seen, other = Drained(wanting), Drained(silent)
        wait_until(lambda: sum(isinstance(one, Telemetry) for one in seen.all()) >= 2, 10.0, "two readings")
        assert not [one for one in other.all() if isinstance(one, Telemetry)]


def test_no_method_blocks_while_the_host_hangs(quick: Session) -> None:
    os.kill(agent_pid(quick), signal.SIGSTOP)
    acts: list[Callable[[], object]] = [
        lambda: quick.follow("a-abcdef"),
        lambda: quick.unfollow(1),
        quick.drain,
        quick.reconnect_now,
        lambda: call_async(quick, "runs", {}, lambda _: None),
        lambda: quick.link,
    ]

    def all_of_them() -> None:
        for _ in range(200):
            for act in acts:
                act()

    busy = threading.Thread(target=all_of_them, daemon=True)
    busy.start()
    busy.join(30.0)  # one that waited for the host would wait a second, two hundred times
    assert not busy.is_alive()
    assert LOCAL.is_local
