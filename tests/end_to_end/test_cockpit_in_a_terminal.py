"""The cockpit in a real terminal: opened, left, killed, opened again; its runs do not notice."""

import os
import signal
from pathlib import Path

import pytest

from tests.end_to_end.conftest import Operator
from tests.end_to_end.terminal import Terminal

CORPUS_WORDS = "print('firefly', flush=True)\nimport signal\nsignal.pause()\n"


@pytest.fixture
def running(operator: Operator, tmp_path: Path) -> str:
    script = tmp_path / "train.py"
    script.write_text(CORPUS_WORDS)
    run_id: str = operator.start_script(script, "--wait", "running")["run_id"]
    return run_id


def test_q_leaves_says_that_the_run_goes_on_and_it_does(operator: Operator, running: str) -> None:
    with Terminal(operator.argv(), operator.env) as terminal:
        terminal.see(running)
        terminal.type("\r")
        terminal.see("firefly")
        terminal.type("q")
        assert terminal.leave() == 0
        assert running in terminal.text
        assert "goes on" in terminal.text
    assert operator.show(running)["state"] == "running"


def test_a_killed_cockpit_takes_nothing_with_it(operator: Operator, running: str) -> None:
    before = operator.process(running)
    with Terminal(operator.argv(), operator.env) as terminal:
        terminal.see(running)
        os.kill(terminal.pid, signal.SIGKILL)
    assert operator.show(running)["state"] == "running"
    assert operator.process(running) == before


def test_x_twice_stops_exactly_the_run_that_the_dialog_showed(operator: Operator, running: str) -> None:
    with Terminal(operator.argv(), operator.env) as terminal:
        terminal.see(running)
        terminal.type("x")
        terminal.see(f"pid {operator.process(running)['trainer']['pid']}")
        assert operator.state(running) == "running"
        terminal.type("x")
        terminal.see("stopped")
    assert operator.show(running)["state"] == "stopped"


def test_two_cockpits_show_the_same_run_and_share_one_stop(operator: Operator, running: str) -> None:
    with Terminal(operator.argv(), operator.env) as one, Terminal(operator.argv(), operator.env) as two:
        one.see(running)
        two.see(running)
        for terminal in (one, two):
            terminal.type("x")
            terminal.see("pid")
        for terminal in (one, two):
            terminal.type("x")
        one.see("stopped")
        two.see("stopped")
    assert operator.show(running)["state"] == "stopped"


@pytest.mark.timeout(300)
def test_the_demo_starts_one_run_and_comes_back_to_it(operator: Operator, corpus: Path) -> None:
    words = ("demo", "--data", str(corpus))
    with Terminal(operator.argv(*words), operator.env) as terminal:
        terminal.see("above unigram", timeout=60.0)  # the first step has lit the loss lamp
        terminal.type("q")
        assert terminal.leave() == 0
    (first,) = operator.do("ls")
    assert first["name"] == "demo"
    with Terminal(operator.argv(*words), operator.env) as terminal:
        terminal.see("attaching")
        terminal.see(first["run_id"])
        terminal.type("q")
        terminal.leave()
    assert [run["run_id"] for run in operator.do("ls")] == [first["run_id"]]
    assert operator.do("stop", first["run_id"])["state"] == "stopped"
