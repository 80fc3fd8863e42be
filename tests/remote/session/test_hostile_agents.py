"""Hostile hosts that answer: no crash, no thread that dies, nothing that steers, and memory within bounds."""

import itertools
import threading
import tracemalloc
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from remote.hosts.host import Host
from remote.protocol.arguments import NoArgs, RunArgs, RunsArgs
from remote.protocol.sanitise import steers
from remote.protocol.verbs import PROCESSES, RUN, RUNS
from remote.session.link.link_state import Timings
from remote.session.session import Session
from remote.transport.base import ConnectAttempt
from tests.remote.hostile_agent import RUN_ID, HostileAgent
from tests.trials import trials
from tests.waiting import wait_until
from tui.commands.runs.summary import brief, brief_words
from tui.store.store import Store
from tui.widgets.run_head import head

HASTY = Timings(ping_s=0.05, hello_s=2.0, lost_s=1.0, backoff_s=(0.0,), patient_s=0.0, refresh_s=0.02)
HOSTS, EXCHANGES = trials(2, 50), trials(60, 200)
LOOK_EVERY = 20  # exchanges: what is believed now, the next list may take back
GROWN_MAX = 192 << 20  # three logs at their bound; a host sends far more than that


@pytest.fixture
def dead_threads(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    found: list[str] = []
    monkeypatch.setattr(threading, "excepthook", lambda args: found.append(repr(args.exc_value)))
    yield
    assert found == []


def shown(store: Store) -> list[str]:
    """What commands and screens would say of it."""
    (host,) = store.hosts.values()
    said = [alert.text for alert in store.alerts] + [host.link.reason, *host.talk]
    for run in store.runs.values():
        said += [brief_words(brief(host.name, run)), run.sample_text]
        said += [line.plain for line in head(run, host, 1.0, 1.0, 200)]
        said += [run.log.line(n) for n in range(len(run.log))][-50:]
    return said


def talk(session: Session, store: Store, agents: list[HostileAgent], said: dict[int, list[str]]) -> bool:
    """One round: what came goes into the store, and something is asked; whether all exchanges are made.

    `said`: by looks, what would be shown of the runs that there were.
    """
    for update in session.drain():
        store.apply(session.host.name, update, 1.0, 1.0)
    session.call_async(RUNS, RunsArgs(), lambda _answer: None, 2.0)
    session.call_async(RUN, RunArgs(run_id=RUN_ID), lambda _answer: None, 2.0)
    session.call_async(PROCESSES, NoArgs(), lambda _answer: None, 2.0)
    session.follow(RUN_ID, "events", goes_on=False)
    session.follow(RUN_ID, "log", goes_on=False)
    session.reconnect_now()
    answered = sum(agent.answered for agent in agents)
    if store.runs and answered // LOOK_EVERY not in said:
        said[answered // LOOK_EVERY] = shown(store)
    return answered >= EXCHANGES


@pytest.mark.chaos
@pytest.mark.claim("hostile hosts: no crash, no dead thread, nothing steers the terminal, memory is bounded")
@pytest.mark.timeout(300)
@pytest.mark.parametrize("number", range(HOSTS))
def test_a_hostile_host_costs_itself_alone(
    number: int,
    dead_threads: None,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    record_property: Callable[[str, object], None],
) -> None:
    monkeypatch.setenv("PHOTINUS_HOME", str(tmp_path / "home"))
    monkeypatch.chdir(tmp_path)
    agents: list[HostileAgent] = []

    def opener(host: Host, attempt: ConnectAttempt) -> HostileAgent:
        agents.append(HostileAgent(number * 1000 + len(agents), EXCHANGES))
        return agents[-1]

    store, looks = Store(["evil"]), dict[int, list[str]]()
    tracemalloc.start()
    try:
        with Session(Host("evil"), opener=opener, timings=HASTY) as session:
            wait_until(lambda: talk(session, store, agents, looks), 200.0, "all exchanges")
            said = [*itertools.chain(*looks.values()), *shown(store)]
        grown = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert looks, "the control: something of it was believed"
    assert [text for text in said if steers(text)] == []
    assert not any("could not be taken" in text for text in said), said
    assert grown < GROWN_MAX
    assert {path.name for path in tmp_path.iterdir()} <= {"home"}, "a file outside its folder"
    record_property("trials", EXCHANGES)
    record_property("figure", f"peak {grown >> 20} MiB")
