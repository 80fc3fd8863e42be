"""Ten hosts with five streaming runs each on one client, and an agent that has nothing to do."""

import contextlib
import json
import subprocess
import sys
import time

import psutil

from benchmarks.figures import Figure, report
from benchmarks.ssh_stage import SshStage, bytes_of, script, ssh_stage
from remote.hosts.host import Host
from remote.session.session import Session, connect
from tests.remote.calling import call
from tui.store.store import Store

HOSTS, RUNS = 10, 5
LINES_A_S = 10
WARM_S, WATCH_S, IDLE_S = 5.0, 15.0, 20.0
STREAMER = (
    "import time\n"
    "for n in range(10**6):\n"
    "    print(f'{n:6d} |   3.562 |   2.915 |  0.6477 | 0.0471 |   1.043 |    1.334', flush=True)\n"
    f"    time.sleep({1 / LINES_A_S})\n"
)


def watch(addresses: list[str]) -> None:
    """The client: a session a host, every log and events file followed, everything into the store."""
    names = [f"host{n}" for n in range(len(addresses))]
    store = Store(names)
    with contextlib.ExitStack() as stack:
        sessions = [
            stack.enter_context(connect(Host(name, address=address), timeout=30.0))
            for name, address in zip(names, addresses, strict=True)
        ]
        for session in sessions:
            for run in call(session, "runs")["runs"]:
                session.follow(run["run_id"], "log")
                session.follow(run["run_id"], "events")
        me = psutil.Process()
        drain_for(sessions, names, store, WARM_S)
        before, begun = me.cpu_times(), time.perf_counter()
        count = drain_for(sessions, names, store, WATCH_S)
        after, taken = me.cpu_times(), time.perf_counter() - begun
        share = (after.user + after.system - before.user - before.system) / taken
        print(json.dumps({"share": share, "rss": me.memory_info().rss, "bytes": count}))


def drain_for(sessions: list[Session], names: list[str], store: Store, for_s: float) -> int:
    """What a cockpit does ten times a second, for so long; bytes that came."""
    end, count = time.monotonic() + for_s, 0
    while time.monotonic() < end:
        for name, session in zip(names, sessions, strict=True):
            for update in session.drain():
                store.apply(name, update, time.monotonic(), time.time())
                count += len(getattr(update, "data", b""))
        time.sleep(0.1)
    return count


def streaming(stage: SshStage) -> dict[str, float]:
    """CPU share of a core, resident bytes and bytes received, of a client of its own."""
    hosts = [stage.another(f"host{n}") for n in range(HOSTS)]
    for host in hosts:
        with connect(host, timeout=20.0) as session:
            for n in range(RUNS):
                script(session, f"stream-{n}", STREAMER)
    words = [sys.executable, "-P", "-m", "benchmarks.ssh_load", *(host.address for host in hosts)]
    done = subprocess.run(words, check=True, stdout=subprocess.PIPE)
    stage.sshd.close()
    stage.sshd.launch()
    result: dict[str, float] = json.loads(done.stdout)
    assert result["bytes"] > 0.8 * HOSTS * RUNS * LINES_A_S * WATCH_S * 60, "the streams did not keep up"
    return result


def idle(stage: SshStage) -> tuple[float, int]:
    """CPU share of a core and resident bytes of an agent with one client that watches nothing."""
    with connect(stage.host, timeout=20.0) as session:
        hello = session.hello
        assert hello is not None
        agent = psutil.Process(hello.pid)
        time.sleep(2.0)  # what it does once, at the first contact, is not idling
        before, begun = agent.cpu_times(), time.perf_counter()
        time.sleep(IDLE_S)
        after, taken = agent.cpu_times(), time.perf_counter() - begun
        bytes_of(session)
        return (after.user + after.system - before.user - before.system) / taken, agent.memory_info().rss


def main() -> None:
    """Measure on a server of its own; with addresses, be the client that is measured."""
    if sys.argv[1:]:
        watch(sys.argv[1:])
        return
    with ssh_stage() as stage:
        share, rss = idle(stage)
        client = streaming(stage)
    report(
        [
            Figure("agent: CPU of a core, idle", 100 * share, "%", 1.0),
            Figure("agent: resident memory, idle", rss / 1e6, "MB", 40.0),
            Figure(f"client: CPU of a core, {HOSTS} hosts x {RUNS} runs", 100 * client["share"], "%", 30.0),
            Figure(f"client: resident memory, {HOSTS} hosts x {RUNS} runs", client["rss"] / 1e6, "MB", 120.0),
        ]
    )


if __name__ == "__main__":
    main()
