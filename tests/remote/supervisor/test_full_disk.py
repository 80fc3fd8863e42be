"""A full disk: no write of a supervisor's may cost the run its ending."""

import contextlib
import errno
import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from remote.supervisor.state_writer import StateWriter
from tests.remote.supervisor.stage import (
    Stage,
    environment,
    faulty,
    is_gone,
    record_of,
    state_of,
    trainer_pid,
    until,
    until_over,
)
from tests.small_disk import mounted
from tests.waiting import wait_until
from trainer.run.disk.atomic import (
    RESERVE_BYTES,
    make_reserve,
    read_json,
    write_json,
    write_json_from_reserve,
)
from trainer.run.records import read_state
from trainer.run.states import State


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A tmpfs of 1 MiB."""
    with mounted(tmp_path / "disk", 1) as folder:
        yield folder


def fill(folder: Path) -> None:
    """Write until not one byte more fits."""
    with (folder / "ballast").open("ab", buffering=0) as file:
        for size in (4096, 1):
            with contextlib.suppress(OSError):
                while file.write(b"x" * size):
                    pass


@pytest.mark.usefixtures("stage")
def test_terminal_state_is_written_on_a_full_disk(small_disk: Path) -> None:
    tight = Stage.open(small_disk / "home")
    run = tight.python("import sys, time\nwhile not sys.stdin.read(): time.sleep(0.05)")
    tight.begin(run)
    until(run, State.RUNNING)
    wait_until(lambda: run.process.exists() and run.reserve.exists(), 5.0, "the reserve")
    fill(small_disk)
    with pytest.raises(OSError, match="No space"):  # the control: the disk is full
        write_json(run.path / "anything.json", {"some": "thing" * 100})
    os.kill(trainer_pid(run), 9)
    over = until_over(run)
    assert (over.state, over.signal) == (State.FAILED, 9)
    assert not run.reserve.exists()
    tight.close()


def test_reserve_is_given_up_only_when_the_disk_is_full(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    reserve, target = tmp_path / "reserve", tmp_path / "state.json"
    make_reserve(reserve)
    assert reserve.stat().st_size == RESERVE_BYTES
    write_json_from_reserve(target, {"n": 1}, reserve)
    assert reserve.exists()
    real = os.write

    def full_while_reserved(fd: int, data: bytes) -> int:
        if reserve.exists():
            raise OSError(errno.ENOSPC, "No space left on device")
        return real(fd, data)

    monkeypatch.setattr(os, "write", full_while_reserved)
    write_json_from_reserve(target, {"n": 2}, reserve)
    assert read_json(target) == {"n": 2}
    assert not reserve.exists()


def test_torn_write_leaves_the_old_file_and_no_rest(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    target = tmp_path / "state.json"
    write_json(target, {"n": 1})
    real = os.write
    calls = []

    def half_then_full(fd: int, data: bytes) -> int:
        calls.append(fd)
        if len(calls) > 1:
            raise OSError(errno.ENOSPC, "No space left on device")
        return real(fd, bytes(data)[:3])

    monkeypatch.setattr(os, "write", half_then_full)
    with pytest.raises(OSError, match="No space"):
        write_json(target, {"n": 2})
    assert read_json(target) == {"n": 1}
    assert [path.name for path in tmp_path.iterdir()] == ["state.json"]


def test_owed_state_is_written_when_there_is_space_again(
    stage: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    run = stage.trainer()
    said: list[str] = []
    writer = StateWriter(run, 1, said.append)
    writer.to(State.STARTING, "first")
    real = os.write
    full = [True]

    def maybe(fd: int, data: bytes) -> int:
        if full:
            raise OSError(errno.ENOSPC, "No space left on device")
        return real(fd, data)

    monkeypatch.setattr(os, "write", maybe)
    writer.to(State.RUNNING)
    assert state_of(run) is State.STARTING
    assert said == ["disk full: state is written later"]
    full.clear()
    writer.settle()
    assert (record_of(run).state, record_of(run).seq) == (State.RUNNING, 2)


def test_disk_full_from_the_first_write_leaves_a_start_that_can_be_carried_out(stage: Stage) -> None:
    run = stage.trainer(steps=3)
    supervisor = stage.begin(run, program=faulty("full_disk", "1"))
    wait_until(lambda: is_gone(supervisor), 10.0, "the supervisor to give up")
    assert "gives up" in run.supervisor_log.read_text()
    assert stage.contact(run).state is State.STARTING
    stage.begin(run, attempt=1)
    assert until_over(run).state is State.SUCCEEDED


@pytest.mark.parametrize("write", range(2, 10))
def test_no_single_failed_write_loses_the_ending(
    stage: Stage, monkeypatch: pytest.MonkeyPatch, write: int
) -> None:
    """From the n-th write of a supervisor on, the disk is full until the reserve goes."""
    for name, value in environment(disk_full_s=5.0).items():
        monkeypatch.setenv(name, value)
    run = stage.trainer(steps=3)
    stage.begin(run, program=faulty("full_disk", str(write)))
    over = until_over(run)
    assert over.state in (State.SUCCEEDED, State.FAILED)
    assert over.state is State.SUCCEEDED or "could not be started" in over.reason
    state = read_state(run)
    assert state is not None
    assert state.is_terminal
