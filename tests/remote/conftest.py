"""A state root for each test, sessions on it, and nothing left running afterwards."""

import os
import signal
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from remote.session.session import Session, connect
from tests.remote.raw_agent import RawAgent
from tests.waiting import wait_until


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    root = tmp_path / "home"
    monkeypatch.setenv("PHOTINUS_HOME", str(root))
    monkeypatch.setenv("PHOTINUS_PATIENCE", '{"poll_s": 0.01, "grace_s": 0.4}')
    yield root
    end_everything(root)


@pytest.fixture
def session(home: Path) -> Iterator[Session]:
    with connect() as opened:
        yield opened


@pytest.fixture
def second(home: Path) -> Iterator[Session]:
    """A second cockpit on the same host."""
    with connect() as opened:
        yield opened


@pytest.fixture
def raw_agent(home: Path) -> Iterator[Callable[..., RawAgent]]:
    """Agents without a session, to be spoken to line by line."""
    opened: list[RawAgent] = []

    def start(*words: str) -> RawAgent:
        opened.append(RawAgent(*words))
        return opened[-1]

    yield start
    for agent in opened:
        agent.close()


def end_everything(root: Path) -> None:
    """SIGKILL to what has this state root in its environment: started by this test by construction."""
    for pid in pids_of(root):
        try:
            os.kill(pid, signal.SIGKILL)
        except ProcessLookupError:
            continue
    wait_until(lambda: not pids_of(root), 20.0, f"the processes of {root} to be gone")


def pids_of(root: Path) -> list[int]:
    needle = f"PHOTINUS_HOME={root}".encode()
    found = []
    for entry in Path("/proc").iterdir():
        if not entry.name.isdigit() or int(entry.name) == os.getpid():
            continue
        try:
            marked = needle in (entry / "environ").read_bytes().split(b"\0")
            if marked and b") Z " not in (entry / "stat").read_bytes():
                found.append(int(entry.name))
        except OSError:
            continue
    return found
