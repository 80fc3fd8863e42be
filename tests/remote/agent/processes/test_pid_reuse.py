"""A pid that was ours and is a stranger's now: nothing that Photinus does signals the stranger."""

import functools
import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.sshd.needs import program
from tests.trials import trials

ROOT = Path(__file__).parents[4]
Record = Callable[[str, object], None]


@functools.cache
def namespace() -> tuple[str, ...]:
    """Words that make a command the first process of a PID namespace; empty where that is not permitted."""
    words = (program("unshare"), "--pid", "--fork", "--mount-proc", "--kill-child")
    if not words[0]:
        return ()
    try_it = [*words, "sh", "-c", "echo 50 > /proc/sys/kernel/ns_last_pid"]
    tried = subprocess.run(try_it, capture_output=True, check=False)
    return words if tried.returncode == 0 else ()


def reused(count: int, way: str) -> dict[str, Any]:
    if not namespace():
        pytest.skip("PID namespaces, or the choice of the next pid in them, are not permitted here")
    done = subprocess.run(
        [*namespace(), sys.executable, "-m", "tests.remote.reused_pids", str(count), way],
        cwd=ROOT,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        stdout=subprocess.PIPE,
        check=True,
    )
    result: dict[str, Any] = json.loads(done.stdout)
    assert result["trials"] == count
    return result


@pytest.mark.chaos
@pytest.mark.claim("signals to a foreign process under forced PID reuse")
@pytest.mark.timeout(900)
def test_a_stranger_that_got_the_pid_is_never_signalled(record_property: Record) -> None:
    result = reused(trials(20, 1000), "careful")
    record_property("trials", result["trials"])
    assert result["hits"] == {"child, later": 0, "session leader, later": 0}


def test_a_pid_that_is_signalled_blindly_hits_the_stranger() -> None:
    """The control: the trials do see a signal."""
    assert sum(reused(8, "careless")["hits"].values()) == 8


def test_an_identity_taken_within_its_tick_is_not_enough() -> None:
    """The control: without the wait for the tick's end, pid and start time are a stranger's too."""
    result = reused(20, "hasty")
    if not result["same_tick"]:
        pytest.skip("this machine was too slow to reuse a pid within 10 ms")
    assert sum(result["hits"].values()) == result["same_tick"]
