"""A real trainer of two processes under a real supervisor: what it learns, who of it dies, how it stops."""

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest

from tests.remote.supervisor.stage import (
    Stage,
    ask,
    environment,
    is_gone,
    process_of,
    record_of,
    trainer_pid,
    until,
    until_over,
)
from tests.trainer.loop.tiny import TINY, events, last_word, moments, spawn, weights, write_text
from tests.trainer.loop.tiny import run as train_here
from tests.trials import trials
from tests.waiting import wait_until
from trainer.config.resolve import resolve
from trainer.run.checkpoints.manifest import newest_valid, verify
from trainer.run.control import read_ack
from trainer.run.layout import RunDir, new_run_id
from trainer.run.process.survivors import Survivor, survivors
from trainer.run.spec import RunSpec
from trainer.run.states import State

STEPS = 10
SETS = (*TINY, "batch=8", f"steps={STEPS}", "log.every=1", "model.noise=0")
SLOW_SAVE = """
import os, time
fsync = os.fsync
def slow(fd):
    if os.readlink(f"/proc/self/fd/{fd}").endswith("model.safetensors"):
        time.sleep(float(os.environ["SLOW_SAVE_S"]))
    return fsync(fd)
os.fsync = slow
"""
LISTENING = "0A"
LOOPBACK = "0100007F"


@pytest.fixture
def stage(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Stage]:
    """Real trainers, whose saves take `SLOW_SAVE_S`."""
    monkeypatch.setenv("PHOTINUS_PATIENCE", environment()["PHOTINUS_PATIENCE"])
    (tmp_path / "site").mkdir()
    (tmp_path / "site" / "sitecustomize.py").write_text(SLOW_SAVE)
    monkeypatch.setenv("PYTHONPATH", str(tmp_path / "site"))
    monkeypatch.setenv("SLOW_SAVE_S", "0.3")
    opened = Stage.open(tmp_path / "home")
    yield opened
    opened.close()


def two_processes(stage: Stage, corpus: Path, *sets: str) -> RunDir:
    config = resolve(
        "kssm-v3-tiny", overrides=[*SETS, "parallel.processes=2", *sets], data=str(corpus)
    ).values()
    spec = RunSpec(run_id=new_run_id("two"), name="two", kind="trainer", device="cpu", config=config)
    return stage.store(spec)


def until_saved(run: RunDir, step: int) -> None:
    wait_until(
        lambda: (run.checkpoints / f"step-{step:08d}").is_dir(), 60.0, f"the checkpoint of step {step}"
    )


def until_succeeded(run: RunDir) -> None:
    over = until_over(run, 90.0)
    assert over.state is State.SUCCEEDED, f"{over.reason}\n{run.log(over.attempt).read_text()[-4000:]}"


def crew(run: RunDir) -> dict[int, Survivor]:
    """The processes of torchrun by rank."""
    found = survivors(run, process_of(run))
    ranks = {psutil.Process(one.pid).environ().get("RANK"): one for one in found}
    return {int(rank): one for rank, one in ranks.items() if rank is not None}


def listening(pids: set[int]) -> set[str]:
    """Addresses, as the kernel writes them, on which any of these processes listens over TCP."""
    inodes = set()
    for pid in pids:
        for fd in (Path("/proc") / str(pid) / "fd").iterdir():
            try:
                inodes.add(str(fd.readlink()))
            except FileNotFoundError:
                continue
    found = set()
    for table in ("tcp", "tcp6"):
        for line in Path("/proc/net", table).read_text().splitlines()[1:]:
            field = line.split()
            if field[3] == LISTENING and f"socket:[{field[9]}]" in inodes:
                found.add(field[1].split(":")[0])
    return found


@pytest.mark.timeout(300)
def test_two_processes_learn_as_one(stage: Stage, tmp_path: Path) -> None:
    corpus = write_text(tmp_path / "text.txt", sentences=300)
    whole = two_processes(stage, corpus)
    stage.begin(whole)
    until_saved(whole, 2)
    ranks, launcher = crew(whole), trainer_pid(whole)
    assert ranks[0].found_by == ranks[1].found_by == ("token",)  # own sessions, and torchrun closed the lock
    assert [one.pid for one in survivors(whole, process_of(whole)) if "lock" in one.found_by] == [launcher]
    assert listening({launcher, *(one.pid for one in ranks.values())}) == {LOOPBACK}
    until_succeeded(whole)

    assert train_here(tmp_path / "one", corpus, sets=SETS) == 0
    one = events(tmp_path / "one", "metrics")
    two = events(whole.path, "metrics")
    assert [row["step"] for row in two] == [row["step"] for row in one] == list(range(1, STEPS + 1))
    for name in ("total", "ce", "reg", "R", "grad_norm", "lr", "tokens"):
        assert [row[name] for row in two] == pytest.approx([row[name] for row in one], abs=1e-5), name


@pytest.mark.chaos
@pytest.mark.skipif(trials(0, 1) == 0, reason="three launches of torchrun: `make chaos` runs them")
@pytest.mark.timeout(240)
def test_a_killed_process_fails_the_run_cleanly_and_its_resume_ends_in_the_same_bits(
    stage: Stage, tmp_path: Path
) -> None:
    corpus = write_text(tmp_path / "text.txt", sentences=300)
    killed, whole = two_processes(stage, corpus), two_processes(stage, corpus)
    stage.begin(killed)
    until_saved(killed, 4)
    os.kill(crew(killed)[1].pid, signal.SIGKILL)
    over = until_over(killed, 60.0)
    assert (over.state, over.code) == (State.FAILED, 1)
    assert over.reason.startswith("process 1 was killed by SIGKILL")
    assert survivors(killed, process_of(killed)) == []
    newest = newest_valid(killed.checkpoints)
    assert newest is not None
    assert 4 <= newest.step < STEPS
    stage.begin(killed, attempt=2, source=newest.name)
    until_succeeded(killed)
    stage.begin(whole)
    until_succeeded(whole)
    assert last_word(killed.path)["steps_done"] == STEPS - newest.step
    assert weights(killed.path, STEPS) == weights(whole.path, STEPS)
    assert moments(killed.path, STEPS) == moments(whole.path, STEPS)


@pytest.mark.chaos
@pytest.mark.skipif(trials(0, 1) == 0, reason="seconds of torchrun: `make chaos` runs it")
@pytest.mark.timeout(300)
def test_a_stop_is_honoured_though_the_save_outlasts_torchruns_patience(
    stage: Stage, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SLOW_SAVE_S", "4")
    monkeypatch.setenv("TORCH_ELASTIC_SHUTDOWN_TIMEOUT", "1")
    corpus = write_text(tmp_path / "text.txt", sentences=300)
    run = two_processes(stage, corpus, "checkpoint.every=0", "steps=1000000")
    stage.begin(run)
    wait_until(lambda: len(events(run.path, "metrics")) > 2, 60.0, "steps")
    ask(run, "stop", by="ada")
    over = until_over(run, 60.0)
    assert (over.state, over.reason, over.code) == (State.STOPPED, "stop requested by ada", 0)
    ack = read_ack(run, "req-1")
    assert ack is not None
    assert ack.checkpoint is not None
    assert verify(run.checkpoints / ack.checkpoint, ack.sha256 or "").step == ack.step >= 2
    said = run.supervisor_log.read_text() + run.log(1).read_text()
    assert "SIGTERM" not in said
    assert not (run.path / "torchrun").exists()


def test_workers_of_a_killed_launcher_are_found_by_token_and_ended(
    stage: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What torchrun starts has a session of its own: so has the stub's worker."""
    monkeypatch.setenv("PHOTINUS_TRAINER_ARGV", environment()["PHOTINUS_TRAINER_ARGV"])
    run = stage.trainer(parallel={"processes": 2}, setsid=1)
    stage.begin(run)
    until(run, State.RUNNING)
    launcher = trainer_pid(run)
    wait_until(lambda: len(survivors(run, process_of(run))) == 2, 10.0, "the worker")
    (worker,) = [one for one in survivors(run, process_of(run)) if one.pid != launcher]
    assert worker.found_by == ("token",)
    os.kill(launcher, signal.SIGKILL)
    assert until_over(run).state is State.FAILED
    assert is_gone(worker.pid)


def test_a_launcher_of_several_is_never_signalled_for_a_stop_and_one_of_one_is(
    stage: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The stub stops by either; a request that it was to overlook would show the signal."""
    monkeypatch.setenv("PHOTINUS_TRAINER_ARGV", environment()["PHOTINUS_TRAINER_ARGV"])
    for processes, signalled in ((2, False), (1, True)):
        run = stage.trainer(parallel={"processes": processes}, overlooks_requests=True, step_s=0.02)
        stage.begin(run)
        until(run, State.RUNNING)
        ask(run, "stop")
        if signalled:
            assert until_over(run).state is State.STOPPED
        else:
            until(run, State.STOPPING)
            wait_until(run.events.exists, 10.0, "the first step")
            before = run.events.stat().st_size
            wait_until(lambda: run.events.stat().st_size > before + 500, 10.0, "more steps")  # noqa: B023
            assert record_of(run).state is State.STOPPING
            ask(run, "kill", "req-2")
            until_over(run)


def test_control_a_port_beyond_loopback_is_seen() -> None:
    import socket

    with socket.create_server(("0.0.0.0", 0)):
        assert "00000000" in listening({os.getpid()})


STUBBORN = """
import signal, sys, time
def save(*_):
    time.sleep(4)
    open(sys.argv[1], "w").close()
    sys.exit(0)
signal.signal(signal.SIGTERM, save)
print("ready", flush=True)
while True: time.sleep(0.05)
"""


@pytest.mark.chaos
@pytest.mark.skipif(trials(0, 1) == 0, reason="seconds of torchrun each: `make chaos` runs them")
@pytest.mark.timeout(300)
class TestSignalsToTheLauncher:
    """What becomes of a SIGTERM from elsewhere: ours takes its time, torchrun alone does not."""

    def test_a_signal_to_the_launcher_is_a_stop_that_takes_its_time(
        self, stage: Stage, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setenv("SLOW_SAVE_S", "4")
        monkeypatch.setenv("TORCH_ELASTIC_SHUTDOWN_TIMEOUT", "1")
        corpus = write_text(tmp_path / "text.txt", sentences=300)
        run = two_processes(stage, corpus, "checkpoint.every=0", "steps=1000000")
        stage.begin(run)
        wait_until(lambda: len(events(run.path, "metrics")) > 2, 60.0, "steps")
        os.kill(trainer_pid(run), signal.SIGTERM)
        over = until_over(run, 60.0)
        assert (over.state, over.reason) == (State.STOPPED, "stop requested by SIGTERM")
        assert newest_valid(run.checkpoints) is not None

    def test_control_torchrun_alone_cuts_a_save_that_outlasts_its_patience(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setenv("TORCH_ELASTIC_SHUTDOWN_TIMEOUT", "1")
        script, saved, said = tmp_path / "stubborn.py", tmp_path / "saved", tmp_path / "said"
        script.write_text(STUBBORN)
        with said.open("wb") as out:
            words = ["-m", "torch.distributed.run", "--nproc-per-node", "1", str(script), str(saved)]
            process = subprocess.Popen([sys.executable, *words], stdout=out, stderr=out)
        try:
            wait_until(lambda: b"ready" in said.read_bytes(), 60.0, "the script")
            process.send_signal(signal.SIGTERM)
            process.wait(30)
        finally:
            process.kill()
            process.wait(10)
        assert not saved.exists()

    def test_processes_alone_that_lose_their_launcher_save_and_end(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setenv("PHOTINUS_HOME", str(tmp_path / "home"))
        out, corpus = tmp_path / "run", write_text(tmp_path / "text.txt", sentences=300)
        sets = [*SETS, "parallel.processes=2", "checkpoint.every=0", "steps=1000000"]
        process = spawn(out, corpus, sets=sets)
        try:
            wait_until(lambda: len(events(out, "metrics")) > 2, 60.0, "steps")
        finally:
            process.kill()
            process.wait(10)
        wait_until(lambda: (out / "exit.json").exists(), 60.0, "the last word")
        word = last_word(out)
        assert (word["outcome"], word["reason"]) == ("stopped", "the launcher of its processes was lost")
        assert verify(out / "checkpoints" / word["checkpoint"], word["sha256"]).step == word["step"]
