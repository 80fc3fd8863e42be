"""Checkpoints written while training goes on: the same bytes, one in flight, nothing said too early."""

import os
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest
import torch

from tests.trainer.loop.tiny import events, last_word, moments, run, text_fixture, weights
from tests.trials import trials
from tests.waiting import wait_until
from trainer.checkpoints.save import CapturedState, Saved, Tensors, write_captured
from trainer.device.host_memory import available_host_bytes
from trainer.loop.background_save import YIELDS, BackgroundWriter
from trainer.loop.context import Training
from trainer.run.checkpoints.manifest import list_checkpoints, verify

__all__ = ["text_fixture"]
BEHIND = "checkpoint.background=true"


@pytest.fixture(autouse=True)
def no_state_is_small(monkeypatch: pytest.MonkeyPatch) -> None:
    """A tiny state is written behind, too."""
    monkeypatch.setattr("trainer.loop.checkpoint.AT_ONCE_BYTES", 0)


def test_what_is_written_behind_is_what_is_written_at_once(tmp_path: Path, text: Path) -> None:
    sets = ["micro_batch=2", "eval.every=3", "optim.ema=0.9"]
    assert run(tmp_path / "at once", text, sets=[*sets, "checkpoint.background=false"]) == 0
    assert run(tmp_path / "behind", text, sets=[*sets, BEHIND]) == 0
    for step in (2, 4, 6):
        assert weights(tmp_path / "behind", step) == weights(tmp_path / "at once", step)
        assert moments(tmp_path / "behind", step) == moments(tmp_path / "at once", step)
    named = [(row["step"], row["kind"]) for row in events(tmp_path / "behind", "checkpoint")]
    assert named == [(row["step"], row["kind"]) for row in events(tmp_path / "at once", "checkpoint")]
    assert len({one.name for one in list_checkpoints(tmp_path / "behind" / "checkpoints")}) == len(named)


def test_training_goes_on_during_a_write_that_is_not_said_before_it_is_proven(
    tmp_path: Path, text: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The write of step 2 is held until the run has come to step 3; what it writes is the state of step 2."""
    out, plain = tmp_path / "run", tmp_path / "plain"
    assert run(plain, text) == 0
    from trainer.checkpoints import save as module

    write, held_at = module.write_captured, []

    def held(folder: Path, captured: module.CapturedState) -> Saved:
        if captured.name.endswith("2") and threading.current_thread() is not threading.main_thread():
            wait_until(lambda: any(row["step"] == 3 for row in events(out, "metrics")), 20)
            held_at.append([row["step"] for row in events(out, "checkpoint")])
        return write(folder, captured)

    monkeypatch.setattr("trainer.loop.checkpoint.write_captured", held)
    assert run(out, text, sets=[BEHIND, "log.every=1"]) == 0
    assert held_at == [[]]
    assert weights(out, 2) == weights(plain, 2)
    assert moments(out, 6) == moments(plain, 6)
    assert verify(out / "checkpoints" / "step-00000002").step == 2


def test_a_stop_with_a_write_in_flight_resumes_to_the_same_bits(
    tmp_path: Path, text: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from trainer.loop import train as module

    out, plain = tmp_path / "run", tmp_path / "plain"
    assert run(plain, text) == 0
    step = module.step

    def stopping(training: Training) -> None:
        step(training)
        if training.state.step == 3:
            assert training.writer.is_busy
            training.job.stop.ask("a test asked")

    slow = threading.Event()
    threading.Timer(0.5, slow.set).start()
    with monkeypatch.context() as patch:
        write = write_captured

        def late(folder: Path, captured: CapturedState) -> Saved:
            slow.wait(5)
            return write(folder, captured)

        patch.setattr("trainer.loop.checkpoint.write_captured", late)
        patch.setattr("trainer.loop.train.step", stopping)
        assert run(out, text, sets=[BEHIND]) == 0
    assert last_word(out)["checkpoint"] == "step-00000003"
    assert [one.step for one in list_checkpoints(out / "checkpoints")] == [2, 3]
    assert run(out, text, "--resume") == 0
    assert weights(out, 6) == weights(plain, 6)
    assert moments(out, 6) == moments(plain, 6)


def test_a_disk_that_refuses_behind_fails_the_run_or_is_waited_for(
    tmp_path: Path, text: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from trainer.checkpoints import save as module

    write, refusals = module.write_captured, list[str]()

    def refusing(folder: Path, captured: module.CapturedState) -> Saved:
        if len(refusals) < 2:
            refusals.append(captured.name)
            raise OSError(28, "No space left on device")
        return write(folder, captured)

    monkeypatch.setattr("trainer.loop.checkpoint.write_captured", refusing)
    assert run(tmp_path / "waits", text, sets=[BEHIND]) == 0
    assert refusals == ["step-00000002"] * 2
    assert [one.step for one in list_checkpoints(tmp_path / "waits" / "checkpoints")] == [2, 4, 6]
    assert any("paused: the disk is full" in row["message"] for row in events(tmp_path / "waits", "note"))
    refusals.clear()
    assert run(tmp_path / "fails", text, sets=[BEHIND, "checkpoint.disk_wait=0"]) == 1
    assert "disk is full" in last_word(tmp_path / "fails")["reason"]


def test_one_write_at_a_time_and_each_outcome_once() -> None:
    writer, told, gate = BackgroundWriter(), list[Saved](), threading.Event()
    one = Saved("step-00000001", "", 1)

    def write() -> Saved:
        gate.wait(10)
        return one

    writer.begin(write, told.append)
    with pytest.raises(ValueError, match="already"):
        writer.begin(write, told.append)
    writer.settle(lambda again: again(), wait=False)
    assert told == []
    gate.set()
    began = time.monotonic()
    writer.settle(lambda again: again(), wait=True)
    writer.settle(lambda again: again(), wait=True)
    assert told == [one]
    assert not writer.is_busy
    assert time.monotonic() - began < 10


def test_a_small_state_and_one_without_room_for_a_copy_are_written_at_once(
    tmp_path: Path, text: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    begun = list[str]()
    monkeypatch.setattr(BackgroundWriter, "begin", lambda *_: begun.append("behind"))
    monkeypatch.setattr("trainer.loop.checkpoint.available_host_bytes", lambda: 1000)
    assert run(tmp_path / "no room", text, sets=[BEHIND]) == 0
    told = [row["message"] for row in events(tmp_path / "no room", "note") if "at once" in row["message"]]
    assert len(told) == 1
    monkeypatch.setattr("trainer.loop.checkpoint.AT_ONCE_BYTES", 16 << 20)
    monkeypatch.setattr("trainer.loop.checkpoint.available_host_bytes", lambda: None)
    assert run(tmp_path / "small", text, sets=[BEHIND]) == 0
    assert begun == []


def test_the_memory_of_the_first_copy_is_taken_ahead_and_the_writer_yields() -> None:
    writer, seen = BackgroundWriter(), list[int]()
    made = {"model": {"a": torch.ones(3)}}

    def make() -> Tensors:
        seen.append(os.getpriority(os.PRIO_PROCESS, threading.get_native_id()))
        return made

    writer.prepare(make)
    assert writer.spare is made
    own = os.getpriority(os.PRIO_PROCESS, threading.get_native_id())
    assert sys.platform != "linux" or seen[0] == min(19, own + YIELDS)


KILLED = """
import os, random, signal, sys, threading, time
from pathlib import Path
import trainer.checkpoints.save as saving, trainer.loop.checkpoint as module, trainer.loop.train
from tests.trainer.loop.tiny import words
from trainer import cli
out, text, draw = Path(sys.argv[1]), Path(sys.argv[2]), random.Random(sys.argv[3])
module.AT_ONCE_BYTES = 0
def slow(folder, captured, write=saving.write_captured):
    time.sleep(0.02)  # so that a kill finds one in flight
    return write(folder, captured)
module.write_captured = slow
before = threading.active_count()
for number in range(int(sys.argv[4])):
    here = out / str(number)
    if not (child := os.fork()):
        os.dup2(os.open(os.devnull, os.O_WRONLY), 1)
        sets = ["checkpoint.background=true", "steps=12", "checkpoint.every=1"]
        os._exit(cli.main(words(here, text, sets=sets)))
    while not (here / "checkpoints").is_dir() or not any((here / "checkpoints").iterdir()):
        time.sleep(0.001)
    time.sleep(draw.uniform(0, 0.3))
    os.kill(child, signal.SIGKILL)
    os.waitpid(child, 0)
"""


@pytest.mark.chaos
@pytest.mark.claim(
    "a kill -9 with a save in flight: the checkpoint before loads, and the resume ends in the same bits"
)
@pytest.mark.skipif(trials(0, 1) == 0, reason="a process and many small runs: `make chaos` runs it")
def test_a_kill_with_a_save_in_flight_leaves_what_was_there_and_resumes_to_the_same_bits(
    tmp_path: Path, text: Path
) -> None:
    many, sets = trials(1, 20), [BEHIND, "steps=12", "checkpoint.every=1"]
    assert run(tmp_path / "plain", text, sets=sets) == 0
    subprocess.run([sys.executable, "-c", KILLED, tmp_path, text, "15", str(many)], check=True)
    cut = 0
    for number in range(many):
        out = tmp_path / str(number)
        cut += bool(list((out / "checkpoints").glob(".tmp-*")))
        assert all(verify(one.path) for one in list_checkpoints(out / "checkpoints"))
        if not (out / "exit.json").exists():
            assert run(out, text, "--resume", sets=sets) == 0
        assert weights(out, 12) == weights(tmp_path / "plain", 12)
        assert moments(out, 12) == moments(tmp_path / "plain", 12)
    assert cut > 0  # some were in the middle of a write


def test_host_memory_is_what_the_kernel_or_the_nearest_limit_leaves(tmp_path: Path) -> None:
    assert available_host_bytes(tmp_path) is None
    group = tmp_path / "sys/fs/cgroup/box/job"
    for folder in (tmp_path / "proc/self", group):
        folder.mkdir(parents=True)
    (tmp_path / "proc/meminfo").write_text("MemTotal: 9000 kB\nMemAvailable:    4000 kB\n")
    assert available_host_bytes(tmp_path) == 4000 * 1024
    (tmp_path / "proc/self/cgroup").write_text("0::/box/job\n")
    (group / "memory.max").write_text("max\n")
    (group / "memory.current").write_text("5\n")
    assert available_host_bytes(tmp_path) == 4000 * 1024
    (group.parent / "memory.max").write_text("1000\n")
    (group.parent / "memory.current").write_text("900\n")
    (group.parent / "memory.stat").write_text("anon 700\ninactive_file 150\n")
    assert available_host_bytes(tmp_path) == 250
