"""A host behind a breakable road, with the agent of this checkout on it."""

import json
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.end_to_end.ssh.box import Box
from tests.sshd.delay import DelayProxy
from tests.sshd.server import Sshd

STUB = Path(__file__).parents[2] / "remote" / "supervisor" / "stub_trainer.py"
PATIENCE = {"poll_s": 0.01, "grace_s": 0.4}


@pytest.fixture
def make_box(sshd: Sshd) -> Iterator[Callable[..., Box]]:
    """`make_box("name", idle_exit=2.0, delay_s=0.0)`: hosts on one server, each with a road of its own."""
    roads: list[DelayProxy] = []

    def make(name: str = "box", *, idle_exit: float = 60.0, delay_s: float = 0.0, apart: bool = False) -> Box:
        road = DelayProxy(sshd.port, delay_s)
        roads.append(road)
        host = sshd.host("plain", name=name, port=road.port)
        env = {
            "PHOTINUS_PATIENCE": json.dumps(PATIENCE),
            "PHOTINUS_TRAINER_ARGV": json.dumps([sys.executable, str(STUB)]),
        }
        root = sshd.home("plain") / (name if apart else ".photinus")
        sshd.place(host, root, agent=f"--idle-exit {idle_exit}", env=env)
        return Box(sshd, host, road, root)

    yield make
    for road in roads:
        road.close()


@pytest.fixture
def box(make_box: Callable[..., Box]) -> Box:
    """One such host."""
    return make_box()
