"""A stop in every phase: by control file exactly there, and by a real signal at a random moment."""

import random
import signal
from pathlib import Path
from typing import Any

import pytest

from tests.trainer.loop.tiny import events, last_word, run, signals_restored, spawn
from tests.trials import trials
from tests.waiting import wait_until
from trainer.job import stop as stop_module
from trainer.run.checkpoints.manifest import list_checkpoints, verify
from trainer.run.control import ControlRequest, pending, put_request, read_ack
from trainer.run.layout import RunDir
from trainer.run.locks import is_free
from trainer.telemetry.write import EventWriter


@pytest.fixture
def stop_in(monkeypatch: pytest.MonkeyPatch) -> Any:
    """Leave a stop request for attempt 1 as soon as it says for the nth time that it is in a phase."""
    monkeypatch.setattr(stop_module, "POLL_S", 0.0)

    def arrange(out: Path, phase: str, token: str = "", nth: int = 1) -> None:
        real = EventWriter.phase
        seen = [0]

        def listen(self: EventWriter, name: str, *rest: Any, **more: Any) -> None:
            real(self, name, *rest, **more)
            seen[0] += name == phase
            if name == phase and seen[0] == nth:
                put_request(
                    RunDir(out), ControlRequest(req_id="s1", verb="stop", attempt=1, token=token, by="tester")
                )

        monkeypatch.setattr(EventWriter, "phase", listen)

    return arrange


@pytest.mark.parametrize(
    ("phase", "step"), [("training", 0), ("evaluating", 3), ("sampling", 3), ("saving", 2)]
)
def test_stop_is_honoured_within_one_step(
    tmp_path: Path, text: Path, stop_in: Any, phase: str, step: int
) -> None:
    out = tmp_path / "run"
    nth = 2 if phase == "training" and step else 1
    stop_in(out, phase, nth=nth)
    assert run(out, text, sets=["steps=400", "eval.every=3"]) == 0
    word, ack = last_word(out), read_ack(RunDir(out), "s1")
    assert ack is not None
    assert word["outcome"] == "stopped"
    assert word["reason"] == "stop requested by tester"
    assert word["step"] == ack.step == step
    if step:
        assert ack.checkpoint == word["checkpoint"] == f"step-{step:08d}"
        verify(out / "checkpoints" / ack.checkpoint, ack.sha256 or "")
    else:
        assert ack.checkpoint is None
        assert word["checkpoint"] is None
    assert is_free(out / "trainer.lock")


@pytest.mark.parametrize("phase", ["loading", "tokenising"])
def test_stop_before_the_first_step_ends_without_a_checkpoint(
    tmp_path: Path, text: Path, stop_in: Any, phase: str
) -> None:
    out = tmp_path / "run"
    stop_in(out, phase)
    assert run(out, text) == 0
    ack = read_ack(RunDir(out), "s1")
    assert ack is not None
    assert (ack.step, ack.checkpoint, ack.sha256) == (0, None, None)
    assert last_word(out)["outcome"] == "stopped"
    assert not list_checkpoints(out / "checkpoints")
    if phase == "tokenising":
        assert not events(out, "floors")  # the tokens were not even finished


def test_request_to_another_attempt_or_token_is_ignored(tmp_path: Path, text: Path, stop_in: Any) -> None:
    out = tmp_path / "run"
    stop_in(out, "training", token="another")
    assert run(out, text) == 0
    assert last_word(out)["outcome"] == "succeeded"
    assert read_ack(RunDir(out), "s1") is None
    assert pending(RunDir(out), 1, "another")


def test_stop_of_a_resumed_run_before_its_first_step_keeps_its_checkpoint(
    tmp_path: Path, text: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    out = tmp_path / "run"
    run(out, text, sets=["steps=4"])
    (tmp_path / "again").mkdir()
    real = EventWriter.hello

    def listen(self: EventWriter, **more: Any) -> None:
        real(self, **more)
        put_request(RunDir(out), ControlRequest(req_id="s2", verb="stop", attempt=2, token=""))

    monkeypatch.setattr(EventWriter, "hello", listen)
    monkeypatch.setattr(stop_module, "POLL_S", 0.0)
    assert run(out, text, "--resume") == 0
    ack = read_ack(RunDir(out), "s2")
    assert ack is not None
    assert (ack.step, ack.checkpoint) == (4, "step-00000004")
    assert last_word(out)["steps_done"] == 0


def test_stop_tells_its_phases_in_order(tmp_path: Path, text: Path, stop_in: Any) -> None:
    out = tmp_path / "run"
    stop_in(out, "evaluating")
    assert run(out, text, sets=["steps=400", "eval.every=3", "checkpoint.every=0"]) == 0
    phases = [row["phase"] for row in events(out, "state")]
    assert phases[phases.index("evaluating") :] == ["evaluating", "stopping", "saving", "finished"]


@pytest.mark.parametrize("phase", ["evaluating", "sampling"])
def test_stop_after_the_last_step_is_a_success(tmp_path: Path, text: Path, stop_in: Any, phase: str) -> None:
    out = tmp_path / "run"
    stop_in(out, phase)
    assert run(out, text, sets=["steps=3", "checkpoint.every=0"]) == 0
    word, ack = last_word(out), read_ack(RunDir(out), "s1")
    assert (word["outcome"], word["step"], word["checkpoint"]) == ("succeeded", 3, "step-00000003")
    assert ack is not None
    assert (ack.step, ack.checkpoint, ack.sha256) == (3, word["checkpoint"], word["sha256"])
    assert verify(out / "checkpoints" / "step-00000003", word["sha256"]).kind == "final"
    assert not events(out, "sample"), "it was cut short"
    assert "stop requested by tester, after the last step" in events(out, "note")[-1]["message"]
    assert [row["phase"] for row in events(out, "state")][-2:] == ["saving", "finished"]


@pytest.mark.parametrize(
    ("asked", "signalled", "reason"),
    [
        (True, True, "stop requested by ada@desk"),
        (True, False, "stop requested by ada@desk"),
        (False, True, "SIGTERM received"),
        (False, False, ""),
    ],
)
def test_reason_of_a_stop_names_who_asked_although_a_signal_comes_too(
    tmp_path: Path, asked: bool, signalled: bool, reason: str
) -> None:
    folder, stop = RunDir(tmp_path).create(), stop_module.Stop()
    stop.watch(folder, 1, "t")
    assert not stop.requested(), "and so the folder was just scanned"
    with signals_restored():
        stop.install()
        if asked:
            for number, who in enumerate(("ada@desk", "bob@train")):
                put_request(
                    folder,
                    ControlRequest(
                        req_id=f"s{number}", verb="stop", attempt=1, token="t", by=who, at=1.0 + number
                    ),
                )
        if signalled:
            signal.raise_signal(signal.SIGTERM)
            assert stop.requested(), "a signal waits for no poll"
        elif asked:
            wait_until(stop.requested, 5, "the poll")
    assert stop.requested() is bool(reason)
    assert stop.reason == reason


@pytest.mark.chaos
@pytest.mark.parametrize("trial", range(trials(0, 20)))
def test_signal_at_a_random_moment_leaves_a_verified_checkpoint(
    tmp_path: Path, text: Path, trial: int
) -> None:
    out = tmp_path / "run"
    after = random.Random(trial).randrange(1, 60)
    process = spawn(out, text, sets=["steps=100000", "log.every=1", "eval.every=7", "checkpoint.every=5"])
    try:
        wait_until(
            lambda: any(row["step"] >= after for row in events(out, "metrics")), 40, f"step {after} of {out}"
        )
        process.send_signal(signal.SIGTERM if trial % 2 else signal.SIGINT)
        said, _ = process.communicate(timeout=20)
    finally:
        process.kill()
        process.wait()
    assert process.returncode == 0, said
    word = last_word(out)
    assert word["outcome"] == "stopped"
    assert word["step"] >= after
    assert word["step"] == max(row["step"] for row in events(out, "metrics"))
    verify(out / "checkpoints" / word["checkpoint"], word["sha256"])
    assert is_free(out / "trainer.lock")
