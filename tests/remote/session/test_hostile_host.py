"""Whatever a host says: typed errors, living threads, and nothing that steers a terminal."""

import re
import threading
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import fields, is_dataclass
from pathlib import Path
from typing import Any

import pytest

from remote.hosts.host import LOCAL, Host
from remote.session.link.link_state import Timings
from remote.session.session import Session, connect
from remote.session.updates import Bytes
from remote.transport.base import ConnectAttempt
from tests.remote.calling import call
from tests.remote.hostile_host import EVIL, Liar, Recorder, Script
from tests.remote.scripts import counting, spec
from tests.trials import trials
from tests.waiting import wait_until

HASTY = Timings(ping_s=0.2, hello_s=2.0, lost_s=1.0, backoff_s=(0.0,), patient_s=0.0, refresh_s=0.1)
RECORDING = Timings(ping_s=0.2, refresh_s=0.1)  # a real agent may take its time
STEERS = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u200b-\u200f\u2028-\u202e\u2066-\u2069\ufeff\ud800-\udfff]")
BLOCKS, TRIALS = trials(1, 20), 500
Record = Callable[[str, object], None]


@pytest.fixture
def dead_threads(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[str]]:
    """Threads that ended by an exception."""
    found: list[str] = []
    monkeypatch.setattr(
        threading,
        "excepthook",
        lambda args: found.append(f"{args.thread and args.thread.name}: {args.exc_value!r}"),
    )
    yield found
    assert found == []


@pytest.fixture
def honest(home: Path) -> bytes:
    """What a real agent said in a short session with a run, a log, events and an error."""
    opened: list[Recorder] = []

    def opener(host: Host, dial: ConnectAttempt) -> Recorder:
        opened.append(Recorder(host))
        return opened[-1]

    with connect(LOCAL, opener=opener, timings=RECORDING) as session:
        run_id = call(session, "start", {"start_id": "s1", "spec": spec(counting(5)).to_json()})["run_id"]
        assert session.wait_run(run_id, lambda run: run.is_terminal, 60.0)
        key = session.follow(run_id)
        wait_until(
            lambda: any(isinstance(one, Bytes) and one.key == key for one in session.drain()), 30.0, "bytes"
        )
        wait_until(lambda: b'"event":"state"' in opened[0].heard, 30.0, "a change of state")
        with pytest.raises(Exception, match="no run"):
            call(session, "run", {"run_id": "none-abcdef"})
        call(session, "telemetry")
    return bytes(opened[0].heard)


def steering(value: object, path: str = "") -> list[str]:
    """Every text in an update that would act on a terminal; followed bytes are raw by contract."""
    if isinstance(value, str):
        return [f"{path}: {value!r}"] if STEERS.search(value) else []
    if isinstance(value, Bytes):
        return steering(value.run_id, "Bytes.run_id") + steering(value.file, "Bytes.file")
    if isinstance(value, dict):
        return [
            found
            for key, one in value.items()
            for found in steering(key, path) + steering(one, f"{path}.{key}")
        ]
    if isinstance(value, list | tuple):
        return [found for one in value for found in steering(one, path)]
    if is_dataclass(value):
        names = (field.name for field in fields(value))
        return [
            found
            for name in names
            for found in steering(getattr(value, name), f"{type(value).__name__}.{name}")
        ]
    return []


@pytest.mark.chaos
@pytest.mark.claim("fuzzed agent replies: typed errors, no escape reaches the terminal, the session lives on")
@pytest.mark.timeout(600)
@pytest.mark.parametrize("block", range(BLOCKS))
def test_a_lying_host_harms_neither_the_session_nor_the_terminal(
    honest: bytes, dead_threads: list[str], block: int, record_property: Record
) -> None:
    liar = Liar(honest, TRIALS, seed=block)
    shown: list[str] = []
    heard: Counter[str] = Counter()
    with Session(Host("liar"), opener=liar, timings=HASTY) as session:

        def told() -> bool:
            for update in session.drain():
                shown.extend(steering(update))
                heard[type(update).__name__] += 1
            shown.extend(steering(session.link) + steering(session.hello) + steering(session.known_runs))
            session.reconnect_now()  # what is refused is not retried by itself
            return liar.done.is_set()

        wait_until(told, 500.0, "every lie to be told")
    assert shown == []
    assert liar.told == TRIALS
    assert heard["HostSeen"] > TRIALS / 4, f"most lies were told to nobody: {heard}"
    assert min(heard["RunsSeen"], heard["RunChanged"], heard["AgentTalk"]) > 0, heard
    record_property("trials", TRIALS)


def test_an_honest_host_is_heard_and_the_search_finds_an_escape(
    honest: bytes, dead_threads: list[str]
) -> None:
    """The controls: unmutated, the recording is a good conversation; and the search is not blind."""

    def opener(host: Host, dial: ConnectAttempt) -> Any:
        return Script(honest, b"", 3)

    with Session(Host("honest"), opener=opener, timings=HASTY) as session:
        session.wait_connected(10.0)
        wait_until(lambda: session.known_runs is not None, 10.0, "its runs")
    assert all(steering({"a": [text]}) for text in EVIL[:5])
    assert steering(("plain text\n", 1, None)) == []
