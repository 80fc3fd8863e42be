"""A session with a real sshd: noisy shells, lost links, deaths of everything in between, files."""

import os
import random
import signal
import statistics
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from remote.errors import CallError, QuestionError, TimeoutError_, UnreachableError
from remote.hosts import LOCAL, Host
from remote.link import Timings
from remote.session import Session, connect
from remote.updates import AgentTalk, Bytes, LinkChanged, Recovered, Update
from tests.remote.scripts import counting, spec
from tests.sshd.client import Laptop, make_key
from tests.sshd.delay import DelayProxy
from tests.sshd.netns import Village
from tests.sshd.processes import marked
from tests.sshd.server import MARK, Sshd, User
from tests.trials import trials
from tests.waiting import wait_until

StartSshd = Callable[..., Sshd]
QUICK = Timings(
    ping_s=0.1, lagging_s=0.3, lost_s=0.9, hello_s=10.0, backoff_s=(0.05, 0.1), refresh_s=0.5
)  # fmt: skip
PATIENCE = {"PHOTINUS_PATIENCE": '{"poll_s": 0.01, "grace_s": 0.4}'}


def placed(sshd: Sshd, user: str = "plain", name: str = "box", *, port: int = 0, agent: str = "") -> Host:
    host = sshd.host(user, name=name, port=port)
    sshd.place(host, agent=agent, env=PATIENCE)
    return host


def agent_pid(session: Session) -> int:
    assert session.hello is not None
    return session.hello.pid


def is_connected(session: Session) -> Callable[[], bool]:
    return lambda: session.link.phase == "connected"


def losses(updates: list[Update]) -> list[str]:
    return [one.link.reason for one in updates if isinstance(one, LinkChanged) and one.link.phase == "lost"]


@pytest.mark.parametrize(
    ("user", "noise"),
    [
        (User("plain"), ""),
        (User("noisy", bashrc="echo hello; echo there >&2"), "hello"),
        (User("garbled", bashrc=r"printf '\033[2J\033]0;evil\007\xff{\"event\":1}\n'"), '{"event":1}'),
        (User("unended", bashrc="printf 'no newline'"), "no newline"),
        (User("slow", bashrc="sleep 0.3"), ""),
        (User("fishy", shell="/usr/bin/fish"), ""),
        (User("dashing", shell="/bin/dash"), ""),
    ],
)
def test_whatever_a_login_shell_prints_the_agent_is_heard(
    start_sshd: StartSshd, user: User, noise: str
) -> None:
    if not Path(user.shell).exists():
        pytest.skip(f"no {user.shell} here")
    sshd = start_sshd([user])
    with connect(placed(sshd, user.name), timings=QUICK) as session:
        assert session.call("runs")["runs"] == []
        talk = "".join(one.text for one in session.drain() if isinstance(one, AgentTalk))
    assert noise in talk
    assert "\x1b" not in talk


@pytest.mark.parametrize(
    ("bashrc", "said"),
    [
        ("echo go away; exit 3", r"code 3: go away"),
        ("exit 0", r"code 0"),
        ("echo no >&2; exit 1", r"code 1: no"),
    ],
)
def test_a_shell_that_leaves_is_quoted_and_not_tried_again(
    start_sshd: StartSshd, bashrc: str, said: str
) -> None:
    sshd = start_sshd([User("leaving", bashrc=bashrc)])
    session = Session(placed(sshd, "leaving"), timings=QUICK).start()
    try:
        with pytest.raises(CallError, match=said) as caught:
            session.wait_connected(15.0)
        assert caught.value.code == "refused"
        assert ".bashrc" in caught.value.remedy
        assert session.link.phase == "refused"
        (sshd.home("leaving") / ".bashrc").write_text("")
        session.reconnect_now()
        wait_until(is_connected(session), 15.0, "the mended shell")
    finally:
        session.close()


def test_a_shell_that_waits_for_input_is_quoted_and_tried_again(start_sshd: StartSshd) -> None:
    sshd = start_sshd([User("asking", bashrc="echo which project?; sleep 30")])
    timings = Timings(hello_s=0.3, backoff_s=(0.05,))
    with Session(placed(sshd, "asking"), timings=timings) as session:
        told: list[str] = []

        def reasons() -> list[str]:
            told.extend(losses(session.drain()))
            return told

        wait_until(lambda: len(reasons()) == 2, 15.0, "two vain attempts")
    assert told == ["no hello in 0.3 s; the host's shell printed: which project?"] * 2


def test_a_missing_environment_asks_for_a_deploy(sshd: Sshd) -> None:
    host = placed(sshd)
    (sshd.folder / "python-box").unlink()
    with pytest.raises(CallError, match="nothing is deployed") as caught:
        connect(host, timings=QUICK)
    assert (caught.value.code, caught.value.remedy) == ("need_deploy", "photinus hosts deploy box")
    sshd.place(host)
    (sshd.folder / "python-box").write_text("#!/bin/sh\nexec python3 -S -c 'import remote.agent'\n")
    (sshd.folder / "python-box").chmod(0o755)
    with pytest.raises(CallError, match="No module named") as caught:
        connect(host, timings=QUICK)
    assert caught.value.code == "need_deploy"


def test_questions_hold_the_link_until_they_are_answered(sshd: Sshd, laptop: Laptop) -> None:
    host = sshd.host(trusted=False)
    sshd.place(host, env=PATIENCE)
    key = laptop.key
    make_key(key, passphrase="open sesame")
    with (sshd.folder / "authorized_keys").open("a") as file:
        file.write(key.with_suffix(".pub").read_text())
    session = Session(host, timings=QUICK).start()
    try:
        with pytest.raises(QuestionError) as caught:
            session.wait_connected(15.0)
        assert caught.value.code == session.link.phase == "key_unknown"
        attempts = session.link.attempt
        question = session.link.question
        assert question is not None
        assert question.fingerprint == sshd.host_key_fingerprint
        with pytest.raises(QuestionError):
            session.call("runs", timeout=5.0)
        session.answer(question, "")
        assert session.link.phase == "key_unknown", "an empty reply declines"
        session.answer(question, "yes")
        wait_until(lambda: session.link.phase == "needs_passphrase", 15.0, "the next question")
        question = session.link.question
        assert question is not None
        assert question.subject == str(key)
        assert session.link.attempt == attempts, "nothing was retried meanwhile"
        session.answer(question, "open sesame")
        wait_until(is_connected(session), 15.0, "the link")
        assert session.link.question is None
        sshd.change_host_key()
        wait_until(lambda: session.link.phase == "key_changed", 15.0, "the hard stop")
        assert sshd.host_key_fingerprint in session.link.reason
    finally:
        session.close()


def test_a_killed_agent_is_replaced(sshd: Sshd) -> None:
    with connect(placed(sshd), timings=QUICK) as session:
        first = agent_pid(session)
        os.kill(first, signal.SIGKILL)
        wait_until(lambda: agent_pid(session) != first and is_connected(session)(), 15.0, "another agent")
        assert session.call("ping", {"n": 1})["n"] == 1


def test_a_killed_sshd_session_and_a_restarted_server_are_reached_again(sshd: Sshd) -> None:
    with connect(placed(sshd), timings=QUICK) as session:
        first = agent_pid(session)
        assert sshd.kill_sessions()
        wait_until(lambda: agent_pid(session) != first and is_connected(session)(), 15.0, "the link")
        second = agent_pid(session)
        sshd.restart()
        wait_until(lambda: agent_pid(session) != second and is_connected(session)(), 15.0, "the link again")
        wait_until(lambda: marked(f"{MARK}={sshd.folder}") == [agent_pid(session)], 15.0, "one agent only")


def test_an_agent_that_leaves_by_itself_is_followed_by_another(sshd: Sshd) -> None:
    """A laptop that slept longer than the agent's patience: here that is 1 s, and the pings are late."""
    timings = Timings(ping_s=3.0, lagging_s=5.0, lost_s=9.0, backoff_s=(0.05,))
    with connect(placed(sshd, agent="--idle-exit 1"), timings=timings) as session:
        first = agent_pid(session)
        wait_until(lambda: agent_pid(session) != first and is_connected(session)(), 15.0, "the next agent")
        assert not losses(session.drain())[0].startswith("no answer")


def test_closing_ends_the_agent_and_the_connection(sshd: Sshd) -> None:
    session = connect(placed(sshd), timings=QUICK)
    session.close()
    wait_until(lambda: not marked(f"{MARK}={sshd.folder}"), 10.0, "the agent to end")
    wait_until(lambda: not sshd.session_pids(), 10.0, "the connection to end")


@pytest.mark.chaos
def test_a_silent_partition_is_shown_and_mended(sshd: Sshd, slow_link: Callable[[float], DelayProxy]) -> None:
    road = slow_link(0.0)
    with connect(placed(sshd, port=road.port), timings=QUICK) as session:
        for _ in range(trials(1, 50)):
            first = agent_pid(session)
            road.pause()
            cut = time.monotonic()
            wait_until(lambda: session.link.phase in ("lost", "retrying", "connecting"), 10.0, "the loss")
            assert time.monotonic() - cut < QUICK.lost_s + 2.0
            assert "no answer for 0.9 s" in session.link.reason or session.link.phase == "connecting"
            road.resume()
            wait_until(is_connected(session), 15.0, "the link")
            wait_until(lambda: session.link.rtt_s is not None, 5.0, "a round trip")
            assert agent_pid(session) != first
        assert session.call("ping", {"n": 1})["n"] == 1
    wait_until(lambda: not marked(f"{MARK}={sshd.folder}"), 10.0, "every agent to end")


@pytest.mark.chaos
@pytest.mark.claim("a silent partition is shown within 10.5 s, and the link is back when it heals")
def test_a_firewall_that_drops_everything_is_noticed_by_our_own_pings(
    town: Village, start_sshd: StartSshd, record_property: Callable[[str, object], None]
) -> None:
    """Under `make chaos` with the waiting times of the product, in the suite with a tenth of them."""
    count, full = trials(1, 100), bool(trials(0, 1))
    timings, limit_s = (Timings(), 10.5) if full else (QUICK, QUICK.lost_s + 2.0)
    sshd = start_sshd(name="far", prefix=town.jump.prefix, address=town.jump.address)
    shown, mended = list[float](), list[float]()
    with connect(placed(sshd), timings=timings) as session:
        for _ in range(count):
            session.drain()
            town.jump.partition()
            cut = time.monotonic()
            wait_until(lambda: losses(session.drain()), 20.0, "the loss")
            shown.append(time.monotonic() - cut)
            time.sleep(random.uniform(0.0, 6.0) if full else 0.1)  # it heals at any moment of an attempt
            assert not session.link.is_up
            town.jump.heal()
            healed = time.monotonic()
            wait_until(is_connected(session), 20.0, "the link")
            mended.append(time.monotonic() - healed)
            wait_until(lambda: session.link.rtt_s is not None, 5.0, "a round trip")
    record_property("trials", count)
    record_property(
        "figure", f"shown {max(shown):.1f} s at most, back {statistics.median(mended):.1f} s (median)"
    )
    assert max(shown) <= limit_s
    assert not full or statistics.median(mended) <= 2.0


def test_what_was_missed_is_counted_when_it_has_come(
    sshd: Sshd, slow_link: Callable[[float], DelayProxy]
) -> None:
    road = slow_link(0.0)
    with connect(placed(sshd, port=road.port), timings=QUICK) as session:
        run_id = session.call("start", {"start_id": "s1", "spec": spec(counting(600, 0.002)).to_json()})[
            "run_id"
        ]
        session.follow(run_id)
        data, updates = bytearray(), list[Update]()

        def drain() -> list[Update]:
            for one in session.drain():
                updates.append(one)
                if isinstance(one, Bytes):
                    data.extend(one.data)
            return updates

        wait_until(lambda: drain() and b"line 5\n" in data, 15.0, "the first lines")
        road.cut()
        wait_until(lambda: any(isinstance(one, Recovered) for one in drain()), 20.0, "the recovery")
        at = next(number for number, one in enumerate(updates) if isinstance(one, Recovered))
        recovered = updates[at]
        assert isinstance(recovered, Recovered)
        assert recovered.runs == 1
        assert recovered.lines > 0
        assert recovered.seconds > 0
        back = next(n for n, one in enumerate(updates) if isinstance(one, LinkChanged) and one.back_after_s)
        came = b"".join(one.data for one in updates[back:at] if isinstance(one, Bytes))
        assert came.count(b"\n") >= recovered.lines, "the last frame may hold lines written since"
        wait_until(lambda: drain() and data.endswith(b"line 599\n"), 20.0, "the rest")
        assert bytes(data) == b"".join(b"line %d\n" % n for n in range(600)), "each byte once"


def test_two_sessions_with_one_host_do_not_disturb_each_other(sshd: Sshd) -> None:
    host = placed(sshd)
    with connect(host, timings=QUICK) as one, connect(host, timings=QUICK) as two:
        assert agent_pid(one) != agent_pid(two)
        run_id = one.call("start", {"start_id": "s1", "spec": spec().to_json()})["run_id"]
        assert two.wait_run(run_id, lambda run: run.state == "running", 10.0)
        os.kill(agent_pid(one), signal.SIGKILL)
        assert two.call("stop", {"run_id": run_id, "req_id": "r1"})["run_id"] == run_id
        wait_until(is_connected(one), 15.0, "the first one")
        assert one.wait_run(run_id, lambda run: run.is_terminal, 10.0)


def test_files_go_beside_the_agent_on_the_same_connection(
    sshd: Sshd, slow_link: Callable[[float], DelayProxy]
) -> None:
    road = slow_link(0.0)
    with connect(placed(sshd, port=road.port), timings=QUICK) as session:
        sftp = session.sftp()
        with_file = sftp.open(str(sshd.home("plain") / "file"), "w")
        with_file.write(b"bytes")
        with_file.close()
        assert sftp.stat(str(sshd.home("plain") / "file")).st_size == 5
        assert session.call("ping", {"n": 1})["n"] == 1
        assert road.accepted == 1, "one connection a host"
        road.cut()
        with pytest.raises(OSError, match=r"."):
            sftp.stat("/")
        sftp.close()
        wait_until(lambda: losses(session.drain()), 10.0, "the loss")
        wait_until(is_connected(session), 15.0, "the link")
        session.sftp().close()


def test_there_are_eight_channels_and_the_ninth_waits(sshd: Sshd, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("remote.ssh.client.OPENING_S", 0.3)
    with connect(placed(sshd), timings=QUICK) as session:
        opened = [session.sftp() for _ in range(7)]
        with pytest.raises(TimeoutError_, match="8 channels"):
            session.sftp()
        threading.Timer(0.1, opened.pop().close).start()
        opened.append(session.sftp())
        for sftp in opened:
            sftp.close()


def test_a_server_that_allows_fewer_channels_makes_us_wait(
    start_sshd: StartSshd, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("remote.ssh.client.OPENING_S", 1.0)
    sshd = start_sshd(options={"MaxSessions": "2"})
    with connect(placed(sshd), timings=QUICK) as session:
        first = session.sftp()
        threading.Timer(0.2, first.close).start()
        second = session.sftp()
        with pytest.raises(TimeoutError_, match="no further channel") as caught:
            session.sftp()
        assert "MaxSessions" in caught.value.remedy
        second.close()
        session.sftp().close()


def test_files_need_a_link_and_local_has_none(sshd: Sshd) -> None:
    sshd.stop()
    with (
        Session(placed(sshd), timings=QUICK) as session,
        pytest.raises(UnreachableError, match="not connected"),
    ):
        session.sftp()
    with connect(LOCAL, timings=QUICK) as here, pytest.raises(CallError) as caught:
        here.sftp()
    assert caught.value.code == "refused"


def test_a_client_that_was_stopped_comes_back(sshd: Sshd, laptop: Laptop) -> None:
    """SIGSTOP longer than everybody's patience: a closed laptop."""
    host = placed(sshd, agent="--idle-exit 1")
    program = (
        "import sys, time\n"
        "from remote.hosts import Host\nfrom remote.link import Timings\nfrom remote.session import connect\n"
        "from tests.remote.ssh.test_session_over_ssh import QUICK\n"
        f"with connect(Host('box', address={host.address!r}), timings=QUICK) as session:\n"
        "    print('up', session.hello.pid, flush=True)\n"
        "    first = session.hello.pid\n"
        "    while session.hello.pid == first or session.link.phase != 'connected': time.sleep(0.02)\n"
        "    print(session.call('ping', {'n': 7})['n'], flush=True)\n"
    )
    client = subprocess.Popen([sys.executable, "-c", program], stdout=subprocess.PIPE, text=True)
    assert client.stdout is not None
    try:
        first = int(client.stdout.readline().split()[1])
        client.send_signal(signal.SIGSTOP)
        wait_until(lambda: not Path(f"/proc/{first}").exists(), 10.0, "the agent to lose its patience")
        client.send_signal(signal.SIGCONT)
        assert client.stdout.readline() == "7\n"
        assert client.wait(10.0) == 0
    finally:
        client.kill()
        client.wait()
