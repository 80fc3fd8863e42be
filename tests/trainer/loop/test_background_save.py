"""Checkpoints written while training goes on: the same bytes, one in flight, nothing said too early."""

import threading
import time
from pathlib import Path

import pytest

from tests.trainer.loop.tiny import events, last_word, moments, run, text_fixture, weights
from tests.waiting import wait_until
from trainer.checkpoints.save import CapturedState, Saved, write_captured
from trainer.loop.background_save import BackgroundWriter
from trainer.loop.context import Training
from trainer.run.checkpoints.manifest import list_checkpoints, verify

__all__ = ["text_fixture"]
BEHIND = "checkpoint.background=true"


def test_what_is_written_behind_is_what_is_written_at_once(tmp_path: Path, text: Path) -> None:
    sets = ["micro_batch=2", "eval.every=3", "optim.ema=0.9"]
    assert run(tmp_path / "at once", text, sets=sets) == 0
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
