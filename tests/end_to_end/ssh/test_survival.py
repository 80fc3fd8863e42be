"""What happens to the link, to sshd or to the laptop does not happen to the run."""

import contextlib
import os
import random
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from remote.session.session import Session
from tests.end_to_end.ssh.box import Box, kill_nine
from tests.end_to_end.ssh.listening import Mirror
from tests.remote.calling import call
from tests.trials import trials
from tests.waiting import wait_until
from trainer.run.process.identity import Identity, identify, is_alive

PATIENCE_S = 1.0  # of the agent: how long it lives without a ping
EACH = trials(1, 125)


def disconnect(box: Box, session: Session) -> None:
    box.road.cut()


def partition(box: Box, session: Session) -> None:
    box.road.pause()
    wait_until(lambda: not session.link.is_up, 20.0, "the partition to be shown")
    box.road.resume()


def restart_sshd(box: Box, session: Session) -> None:
    box.sshd.restart()


def kill_agent(box: Box, session: Session) -> None:
    assert session.hello is not None
    kill_nine(identify(session.hello.pid))


def until(go: Path) -> str:
    """A script that prints lines until a file is there."""
    return (
        "import os, time\n"
        "n = 0\n"
        f"while not os.path.exists({str(go)!r}):\n"
        "    print('line', n, flush=True)\n"
        "    n += 1\n"
        "    time.sleep(0.01)\n"
        "print('end', flush=True)\n"
    )


DISASTERS = (disconnect, partition, restart_sshd, kill_agent)


@pytest.mark.chaos
@pytest.mark.claim("a run survives partition, disconnect, sshd restart, a dead agent; every line is heard")
@pytest.mark.timeout(300)
@pytest.mark.parametrize("trial", range(EACH))
@pytest.mark.parametrize("disaster", DISASTERS)
def test_a_run_outlives(
    box: Box, tmp_path: Path, disaster: Callable[[Box, Session], None], trial: int
) -> None:
    rng = random.Random(trial)
    with box.session() as session:
        run_id = box.start(session, until(tmp_path / "go"))
        before = box.record(run_id)
        session.follow(run_id)
        mirror = Mirror(session, keep=True)
        for _ in range(2):
            reached = mirror.size() + rng.randrange(1, 300)
            mirror.until(lambda: mirror.size() >= reached, what="some lines")  # noqa: B023
            disaster(box, session)
        reached = mirror.size() + 1
        mirror.until(lambda: mirror.size() >= reached, what="a line after it")
        (tmp_path / "go").touch()
        mirror.until_end()
        assert box.record(run_id) == before, "neither supervisor nor trainer is another one"
    assert bytes(mirror.data["001.log", 1]) == box.run(run_id).log(1).read_bytes()
    assert mirror.data["001.log", 1].endswith(b"\nend\n")
    box.wait_state(run_id, "succeeded")
    box.wait_right()


@pytest.mark.chaos
@pytest.mark.claim("a run survives a client that is stopped for longer than its agent's patience")
@pytest.mark.timeout(300)
@pytest.mark.parametrize("trial", range(trials(1, 100)))
def test_a_run_outlives_a_laptop_that_was_closed(
    make_box: Callable[..., Box], tmp_path: Path, trial: int
) -> None:
    box = make_box(idle_exit=PATIENCE_S)
    with box.session() as session:
        run_id = box.start(session, until(tmp_path / "go"))
        before = box.record(run_id)
    heard = tmp_path / "heard"
    with ended(watcher(box, run_id, heard)) as client:
        wait_until(lambda: heard.stat().st_size > 0 or client.poll() is not None, 20.0, "its first line")
        agents = agents_of(box)
        assert agents
        os.kill(client.pid, signal.SIGSTOP)
        wait_until(lambda: not any(map(is_alive, agents)), PATIENCE_S + 10.0, "its agent to lose patience")
        assert is_alive(before.supervisor)
        os.kill(client.pid, signal.SIGCONT)
        (tmp_path / "go").touch()
        try:
            assert client.wait(30.0) == 0
        except subprocess.TimeoutExpired:
            os.kill(client.pid, signal.SIGABRT)  # its stacks are worth more than its life
            client.wait()
            raise
    assert box.record(run_id) == before
    assert heard.read_bytes() == box.run(run_id).log(1).read_bytes()
    assert heard.read_bytes().endswith(b"\nend\n")
    box.wait_state(run_id, "succeeded")
    box.wait_right()


def test_an_agent_that_hears_pings_does_not_lose_patience(make_box: Callable[..., Box]) -> None:
    """The control: the same agent with a client that is awake."""
    box = make_box(idle_exit=PATIENCE_S)
    with box.session() as session:
        first = session.hello
        began = time.monotonic()
        wait_until(lambda: call(session, "runs") is not None and time.monotonic() - began > 2 * PATIENCE_S)
        assert session.hello == first


@contextlib.contextmanager
def ended(client: "subprocess.Popen[bytes]") -> Iterator["subprocess.Popen[bytes]"]:
    """The client, killed at the end if it is still there: a stopped one would be waited for for ever."""
    try:
        yield client
    finally:
        client.kill()
        client.wait()


def watcher(box: Box, run_id: str, heard: Path) -> "subprocess.Popen[bytes]":
    """A client in a process of its own; what it hears goes into a file."""
    words = ["-P", "-m", "tests.end_to_end.ssh.watcher", box.host.name, box.host.address, run_id]
    root = str(Path(__file__).parents[3])
    with heard.open("wb") as out:
        return subprocess.Popen(
            [sys.executable, *words], stdout=out, cwd=root, env={**os.environ, "PYTHONPATH": root}
        )


def agents_of(box: Box) -> list[Identity]:
    """The agents of the host that live now."""
    found = []
    for pid in box.sshd.started():
        command = Path(f"/proc/{pid}/cmdline").read_bytes().split(b"\0")
        if b"remote.agent" in command and (identity := identify(pid)):
            found.append(identity)
    return found
