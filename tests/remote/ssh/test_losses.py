"""Links that are lost: deaths of everything in between, silence, and what comes back."""

import math
import os
import random
import signal
import statistics
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from remote.session.link.link_state import Timings
from remote.session.session import connect
from remote.session.updates import Bytes, LinkChanged, Recovered, Update
from tests.remote.calling import call
from tests.remote.scripts import spec
from tests.remote.ssh.sessions import QUICK, StartSshd, agent_pid, is_connected, losses, placed
from tests.sshd.client import Laptop
from tests.sshd.delay import DelayProxy
from tests.sshd.netns import Village
from tests.sshd.processes import marked
from tests.sshd.server import MARK, Sshd
from tests.trials import trials
from tests.waiting import wait_until


def test_a_killed_agent_is_replaced(sshd: Sshd) -> None:
    with connect(placed(sshd), timings=QUICK) as session:
        first = agent_pid(session)
        os.kill(first, signal.SIGKILL)
        wait_until(lambda: agent_pid(session) != first and is_connected(session)(), 15.0, "another agent")
        assert call(session, "status")[
            "home"
        ]  # asked again where the machine is so busy that the link is lost


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
            wait_until(lambda: session.link.phase in ("lost", "retrying", "connecting"), 30.0, "the loss")
            silent = f"no answer for {QUICK.lost_s:g} s"
            assert silent in session.link.reason or session.link.phase == "connecting"
            road.resume()
            wait_until(is_connected(session), 15.0, "the link")
            wait_until(lambda: session.link.rtt_s is not None, 5.0, "a round trip")
            assert agent_pid(session) != first
        assert call(session, "status")[
            "home"
        ]  # asked again where the machine is so busy that the link is lost
    wait_until(lambda: not marked(f"{MARK}={sshd.folder}"), 10.0, "every agent to end")


@pytest.mark.chaos
@pytest.mark.claim("a silent partition is shown within 10.5 s, and the link is back when it heals")
def test_a_firewall_that_drops_everything_is_noticed_by_our_own_pings(
    town: Village, start_sshd: StartSshd, record_property: Callable[[str, object], None]
) -> None:
    """Under `make chaos` with the waiting times of the product, in the suite with a tenth of them."""
    count, full = trials(1, 100), bool(trials(0, 1))
    timings, limit_s = (Timings(), 10.5) if full else (QUICK, math.inf)
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


def in_two_parts(gate: Path) -> str:
    """Prints 100 lines, and the other 500 once there is a file `gate`: neither depends on anybody's speed."""
    return (
        "import os, time\n"
        "for i in range(600):\n"
        f"    while i == 100 and not os.path.exists({str(gate)!r}): time.sleep(0.005)\n"
        "    print('line', i, flush=True)\n"
        "time.sleep(60)\n"
    )


def test_what_was_missed_is_counted_when_it_has_come(
    sshd: Sshd, slow_link: Callable[[float], DelayProxy]
) -> None:
    road = slow_link(0.0)
    with connect(placed(sshd, port=road.port), timings=QUICK) as session:
        gate = sshd.folder / "gate"
        started = call(session, "start", {"start_id": "s1", "spec": spec(in_two_parts(gate)).to_json()})
        log = Path(started["dir"], "log", "001.log")
        session.follow(started["run_id"])
        data, updates = bytearray(), list[Update]()

        def drain() -> list[Update]:
            for one in session.drain():
                updates.append(one)
                if isinstance(one, Bytes):
                    data.extend(one.data)
            return updates

        wait_until(lambda: drain() and data.endswith(b"line 99\n"), 15.0, "the first lines")
        road.pause()
        wait_until(lambda: losses(drain()), 15.0, "the loss")
        gate.touch()
        wait_until(lambda: log.read_bytes().endswith(b"line 599\n"), 15.0, "what is missed to be written")
        road.resume()
        wait_until(lambda: any(isinstance(one, Recovered) for one in drain()), 20.0, "the recovery")
        at = next(number for number, one in enumerate(updates) if isinstance(one, Recovered))
        recovered = updates[at]
        assert isinstance(recovered, Recovered)
        assert (recovered.runs, recovered.lines) == (1, 500)
        assert recovered.seconds > 0
        back = next(n for n, one in enumerate(updates) if isinstance(one, LinkChanged) and one.back_after_s)
        came = b"".join(one.data for one in updates[back:at] if isinstance(one, Bytes))
        assert came.count(b"\n") == 500, "all of it came before it was told"
        assert bytes(data) == b"".join(b"line %d\n" % n for n in range(600)), "each byte once"


def test_two_sessions_with_one_host_do_not_disturb_each_other(sshd: Sshd) -> None:
    host = placed(sshd)
    with connect(host, timings=QUICK) as one, connect(host, timings=QUICK) as two:
        assert agent_pid(one) != agent_pid(two)
        run_id = call(one, "start", {"start_id": "s1", "spec": spec().to_json()})["run_id"]
        assert two.wait_run(run_id, lambda run: run.state == "running", 10.0)
        os.kill(agent_pid(one), signal.SIGKILL)
        assert call(two, "stop", {"run_id": run_id, "req_id": "r1"})["run_id"] == run_id
        wait_until(is_connected(one), 15.0, "the first one")
        assert one.wait_run(run_id, lambda run: run.is_terminal, 10.0)


def test_a_client_that_was_stopped_comes_back(sshd: Sshd, laptop: Laptop) -> None:
    """SIGSTOP longer than everybody's patience: a closed laptop."""
    host = placed(sshd, agent="--idle-exit 1")
    program = (
        "import sys, time\n"
        "from remote.hosts.host import Host\n"
        "from remote.session.link.link_state import Timings\nfrom remote.session.session import connect\n"
        "from tests.remote.calling import call\n"
        "from tests.remote.ssh.sessions import QUICK\n"
        f"with connect(Host('box', address={host.address!r}), timings=QUICK) as session:\n"
        "    print('up', session.hello.pid, flush=True)\n"
        "    first = session.hello.pid\n"
        "    while session.hello.pid == first or session.link.phase != 'connected': time.sleep(0.02)\n"
        "    print(call(session, 'ping', {'n': 7})['n'], flush=True)\n"
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
