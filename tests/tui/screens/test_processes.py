"""Screen 5: what runs on every host, the locks beside it, and an end for orphans alone."""

from typing import Any

import pytest

from remote.protocol.errors import CallError, ProtocolError
from remote.protocol.results import ProcessList
from remote.protocol.values import read_as
from tests.tui.driving import connected, front, picture, press, settle, toasts
from tests.tui.fake import START, Clock, FakeActs, cockpit, view
from tui.screens.processes import Processes
from tui.store.census import census
from tui.widgets.keyed_table import KeyedTable
from tui.widgets.process_rows import columns

RUN = "demo-aaaaaa"


def row(pid: int, standing: str, **fields: Any) -> dict[str, Any]:
    ours = standing != "foreign"
    start, run_id = (pid * 10, RUN) if ours else (None, None)
    base = {"pid": pid, "start": start, "class": standing, "run_id": run_id}
    return {**base, "why": f"because {pid}", "age_s": 61.0, "rss": 2e9, "cmd": f"python {pid}.py", **fields}


LIVE, ORPHAN, FOREIGN = row(4242, "live"), row(3111, "orphan", gpu_mem=12e9), row(999, "foreign")
LOCKS = [
    {"name": "agent", "free": True, "run_id": None},
    {"name": f"runs/{RUN}", "free": False, "run_id": RUN},
    {"name": "devices/cuda-1", "free": False, "run_id": None},
]


@pytest.mark.parametrize("size", [(160, 50), (100, 30), (80, 24)])
async def test_the_tree_says_class_why_and_cost(size: tuple[int, int]) -> None:
    (local, box), acts = connected("box"), FakeActs()
    acts.results["local", "processes"] = {"processes": [LIVE, ORPHAN, FOREIGN], "locks": LOCKS}
    app = cockpit(local, box, acts=acts)
    async with app.run_test(size=size) as pilot:
        local.connect(view())
        box.link_is("lost", since=START)
        await settle(pilot, app)
        await press(pilot, app, "5")
        assert acts.asked == [("local", "processes")]  # a host that is away is not asked
        text = picture(app)
        for word in ("● live", "◇ orphan", "· foreign", "because 3111", "2 GB", "1m 01s", "unknown: ○ lost"):
            assert word in text, word
        if size[0] >= 100:
            assert "cuda-1  no known run" in text
        if size[0] >= 160:
            assert "12 GB" in text
        await press(pilot, app, "down", "down")
        assert "python 3111.py" in picture(app)


async def test_only_an_orphan_is_ended_and_exactly_the_one_that_was_shown() -> None:
    (local,), acts, clock = connected(), FakeActs(), Clock()
    answer = {"processes": [LIVE, ORPHAN, FOREIGN], "locks": LOCKS}
    acts.results["local", "processes"] = answer
    app = cockpit(local, acts=acts, clock=clock)
    async with app.run_test(size=(160, 50)) as pilot:
        local.connect(view())
        await settle(pilot, app)
        await press(pilot, app, "5", "x")
        assert "no process is chosen" in toasts(app)
        screen = app.screen
        assert isinstance(screen, Processes)
        screen.table.choose(f"local/live/{RUN}/4242/42420")
        await press(pilot, app, "x")
        assert any("only an orphan" in toast for toast in toasts(app))
        screen.table.choose(f"local/orphan/{RUN}/3111/31110")
        await press(pilot, app, "x")
        for word in ("END pid 3111 on local", RUN, "because 3111", "python 3111.py"):
            assert word in picture(app), word
        acts.results["local", "processes"] = {**answer, "processes": [row(3111, "orphan", start=77)]}
        clock.passed = 10.0
        await settle(pilot, app)
        await press(pilot, app, "x")
        assert acts.done == [("reap", "local", f"{RUN} 3111 31110")]  # the host compares the start time


STALE = row(
    777, "foreign", start=7770, user="ada", mine=True, devices=["cuda-0"], gpu_mem=12e9, why_not="",
    log="/home/ada/train.log",
)  # fmt: skip
HERS = row(888, "foreign", user="eve", mine=False, why_not="it belongs to eve")


async def test_a_stale_process_of_ones_own_is_ended_after_its_pid_was_typed() -> None:
    (local,), acts = connected(), FakeActs()
    acts.results["local", "processes"] = {"processes": [LIVE, STALE, HERS, FOREIGN], "locks": LOCKS}
    app = cockpit(local, acts=acts)
    async with app.run_test(size=(160, 50)) as pilot:
        local.connect(view())
        await settle(pilot, app)
        await press(pilot, app, "5")
        screen = app.screen
        assert isinstance(screen, Processes)
        screen.table.choose(f"local/live/{RUN}/4242/42420")
        await press(pilot, app, "K")
        assert any("K here is for what is no run" in toast for toast in toasts(app))
        foreign = screen.query_one("#foreign", KeyedTable)
        foreign.focus()
        foreign.choose("local/foreign//888/None")
        await press(pilot, app, "K")
        assert any("it belongs to eve" in toast for toast in toasts(app))
        foreign.choose("local/foreign//999/None")
        await press(pilot, app, "K")
        assert any("does not end it" in toast for toast in toasts(app))
        foreign.choose("local/foreign//777/7770")
        await press(pilot, app, "K")
        for word in ("END pid 777 on local", "start 7770", "12 GB", "python 777.py", "train.log"):
            assert word in picture(app), word
        await press(pilot, app, "K", "7", "7", "enter")  # neither the key again nor another number is enough
        assert acts.done == []
        await press(pilot, app, "backspace", "backspace", "backspace", "7", "7", "7", "enter")
        assert acts.done == [("end", "local", "777 7770")]


async def test_a_process_that_goes_leaves_nothing_chosen() -> None:
    (local,), acts, clock = connected(), FakeActs(), Clock()
    acts.results["local", "processes"] = {"processes": [ORPHAN, row(3222, "orphan")], "locks": []}
    app = cockpit(local, acts=acts, clock=clock)
    async with app.run_test(size=(100, 30)) as pilot:
        local.connect(view())
        await settle(pilot, app)
        await press(pilot, app, "5")
        screen = app.screen
        assert isinstance(screen, Processes)
        screen.table.choose(f"local/orphan/{RUN}/3111/31110")
        acts.results["local", "processes"] = {"processes": [row(3222, "orphan")], "locks": []}
        clock.passed = 10.0
        await settle(pilot, app)
        await press(pilot, app, "x", "x")
        assert (front(app), acts.done) == ("Processes", [])
        await press(pilot, app, "up", "down", "x", "x")
        assert acts.done == [("reap", "local", f"{RUN} 3222 32220")]


async def test_a_host_that_cannot_tell_says_why() -> None:
    (local,), acts = connected(), FakeActs()
    acts.results["local", "processes"] = CallError("internal", "no /proc here")
    app = cockpit(local, acts=acts)
    async with app.run_test(size=(100, 30)) as pilot:
        local.connect()
        await settle(pilot, app)
        await press(pilot, app, "5")
        assert "no /proc here" in picture(app)


@pytest.mark.parametrize(
    "answer",
    [
        {},
        {"processes": [1], "locks": []},
        {"processes": [row(1, "undead")], "locks": []},
        {"processes": [row(2, "live", rss="2")], "locks": []},
        {"processes": [], "locks": [{"name": "x", "free": "yes"}]},
    ],
)
def test_a_malformed_answer_is_refused(answer: dict[str, Any]) -> None:
    with pytest.raises(ProtocolError):
        census(read_as(ProcessList, answer), START)


def test_hostile_commands_are_only_text() -> None:
    hostile = row(5, "foreign", cmd="a\x1b[2Jb\u202e[red]")
    found = census(read_as(ProcessList, {"processes": [hostile], "locks": []}), START)
    assert found.processes[0].command == "ab[red]"


@pytest.mark.parametrize("width", [40, 78, 98, 116, 160])
def test_the_columns_fit(width: int) -> None:
    assert sum(wide + 2 for *_, wide in columns(width)) + 1 <= max(width, 60)
