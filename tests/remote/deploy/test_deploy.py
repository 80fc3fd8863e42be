"""A deploy from nothing, over a real sshd: an account with nothing installed, and an interpreter that has torch."""

import sys
import time
from pathlib import Path

import pytest

from remote.deploy.deploying import deploy
from remote.placement import read_placement
from remote.session import connect
from remote.transport import Dial
from tests.sshd.server import Sshd


def test_a_deploy_from_nothing_then_a_second_that_finds_all_there(sshd: Sshd, tmp_path: Path) -> None:
    host = sshd.host("plain", "box", python=sys.executable)
    lines: list[str] = []

    def say(line: str) -> None:
        lines.append(f"{time.time() - t:.2f} {line}")

    t = time.time()
    placement = deploy(host, Dial(), say)
    print("\n".join(lines))
    print(placement, time.time() - t)
    with connect(host) as session:
        print(session.hello)
        print(time.time() - t)
    assert 0
