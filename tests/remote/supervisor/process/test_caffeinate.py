"""A Mac stays awake while a run lives. Simulated by injection: not tried on a Mac."""

import threading
from collections.abc import Sequence
from dataclasses import replace

import pytest

from remote.supervisor.process.caffeinate import caffeinate_argv, keep_awake, spawn
from tests.remote.scripts import spec
from tests.waiting import wait_until


class Started:
    """Notes what is started, and that it is waited for: no zombie is left."""

    def __init__(self) -> None:
        self.argvs: list[Sequence[str]] = []
        self.waited = threading.Event()

    def __call__(self, argv: Sequence[str]) -> "Started":
        self.argvs.append(argv)
        return self

    def wait(self) -> int:
        self.waited.set()
        return 0


def test_on_a_mac_it_waits_for_exactly_the_runs_process() -> None:
    started = Started()
    keep_awake(spec(), 4321, print, "darwin", started)
    assert started.argvs == [("/usr/bin/caffeinate", "-i", "-w", "4321")]
    wait_until(started.waited.is_set, 5.0, "its end to be waited for")


@pytest.mark.parametrize(("platform", "wanted"), [("linux", True), ("darwin", False)])
def test_elsewhere_and_where_the_host_forbids_it_nothing_is_started(platform: str, wanted: bool) -> None:
    started = Started()
    keep_awake(replace(spec(), caffeinate=wanted), 4321, print, platform, started)
    assert started.argvs == []


def test_a_mac_without_the_program_trains_all_the_same_and_says_so() -> None:
    said: list[str] = []

    def missing(argv: Sequence[str]) -> Started:
        raise FileNotFoundError(2, "No such file", argv[0])

    keep_awake(spec(), 4321, said.append, "darwin", missing)
    assert "may fall asleep" in said[0]


def test_it_carries_no_mark_of_the_run_so_that_it_is_no_survivor() -> None:
    argv = caffeinate_argv(spec(), 1, "darwin")
    assert argv[0].startswith("/")
    assert spawn(["true"]).wait() == 0
