"""A host that computes and has thousands of runs behind it: what lives there can be ended all the same."""

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from benchmarks.home import fill
from tests.trials import trials

BUSY = 15
FINISHED = 5000
SLEEP = ("--", sys.executable, "-I", "-S", "-c", "import time; time.sleep(3600)")


@contextmanager
def load() -> Iterator[None]:
    """So many processes that compute, and nothing else."""
    busy = [subprocess.Popen([sys.executable, "-I", "-S", "-c", "while True: pass"]) for _ in range(BUSY)]
    try:
        yield
    finally:
        for process in busy:
            process.kill()
            process.wait()


def photinus(*words: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-P", "-m", "tui.cli", *words]
    return subprocess.run(command, capture_output=True, text=True, check=False, env=os.environ)


def started() -> str:
    done = photinus("start", "--shared", "--json", "--wait", "running", "--command", "--name", "live", *SLEEP)
    assert done.returncode == 0, done.stderr
    return str(json.loads(done.stdout)["run_id"])


@pytest.mark.chaos
@pytest.mark.timeout(1800)
@pytest.mark.claim("5,000 runs that are over and a load of 15: ls, show, stop and kill work")
@pytest.mark.parametrize("trial", range(trials(0, 5)))
def test_what_lives_is_listed_shown_stopped_and_killed(home: Path, trial: int) -> None:
    fill(home, FINISHED)
    with load():
        for ending in ("stop", "kill") if trial % 2 else ("kill", "stop"):
            run_id = started()
            listed = photinus("ls", "--json")
            assert listed.returncode == 0, listed.stderr
            assert json.loads(listed.stdout)[0]["run_id"] == run_id
            for command in ("show", ending):
                done = photinus(command, run_id)
                assert done.returncode == 0, done.stderr
