import fcntl
import os
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest

from tests.trials import trials
from tests.waiting import wait_until
from trainer.run.locks import DeviceLocks, Flock, is_free
from trainer.run.run_errors import LockHeldError, SpecError

HOLD = (
    "import sys, time; from pathlib import Path; from trainer.run.locks import Flock\n"
    "lock = Flock(Path(sys.argv[1])); assert lock.take(); print('held', flush=True)\n"
    "{more}\ntime.sleep(60)"
)


def holder(path: Path, more: str = "") -> "subprocess.Popen[str]":
    code = HOLD.format(more=more)
    process = subprocess.Popen(
        [sys.executable, "-P", "-c", code, str(path)], stdout=subprocess.PIPE, text=True
    )
    assert process.stdout is not None
    assert process.stdout.readline() == "held\n"
    process.stdout.close()
    return process


def test_two_takers_one_winner_and_the_end_of_a_holder_frees_it(tmp_path: Path) -> None:
    path = tmp_path / "lock"
    first, second = Flock(path), Flock(path)
    assert is_free(path)
    assert first.take()
    assert not second.take(retry_s=0.0)
    assert not is_free(path)
    first.close()
    assert is_free(path)
    assert second.take(retry_s=0.0)
    second.close()
    assert path.exists()  # never unlinked


def test_who_shares_a_lock_excludes_takers_and_nobody_who_shares_it(tmp_path: Path) -> None:
    path = tmp_path / "lock"
    with pytest.raises(FileNotFoundError):  # what is only used is not made
        Flock.now(path, shared=True)
    path.touch()
    one, other = Flock.now(path, shared=True), Flock.now(path, shared=True)
    assert one is not None
    assert other is not None
    one.close()
    assert Flock.now(path) is None
    other.close()
    alone = Flock.now(path)
    assert alone is not None
    assert Flock.now(path, shared=True) is None
    alone.close()


@pytest.mark.parametrize("again", [True, False])
def test_the_lock_of_a_file_that_was_removed_meanwhile_is_none(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, again: bool
) -> None:
    """Who prunes removes a lock's file between our open and our lock: another may hold the new file."""
    path, real = tmp_path / "lock", fcntl.flock
    removed: list[Path] = []

    def flock(fd: int, kind: int) -> None:
        if not removed:
            path.unlink()
            removed.append(path)
            if again:
                path.touch()
        real(fd, kind)

    monkeypatch.setattr(fcntl, "flock", flock)
    assert Flock.now(path) is None
    lock = Flock.now(path)
    assert lock is not None
    assert os.path.samestat(os.fstat(lock.fd), path.stat())
    lock.close()


def test_kill_nine_of_the_holder_frees_the_lock(tmp_path: Path) -> None:
    process = holder(tmp_path / "lock")
    assert not is_free(tmp_path / "lock")
    process.kill()
    process.wait()
    assert is_free(tmp_path / "lock")


def test_lock_survives_its_holder_while_a_forked_worker_lives(tmp_path: Path) -> None:
    fork = "import os\npid = os.fork()\nif pid: Path(sys.argv[1] + '.worker').write_text(str(pid))"
    process = holder(tmp_path / "lock", fork)
    worker_file = tmp_path / "lock.worker"
    wait_until(lambda: worker_file.exists() and worker_file.read_text(), 5.0, "the worker")
    process.kill()
    process.wait()
    assert not is_free(tmp_path / "lock")
    os.kill(int(worker_file.read_text()), signal.SIGKILL)
    wait_until(lambda: is_free(tmp_path / "lock"), 5.0, "the worker's end")


def test_handed_over_lock_is_held_without_a_gap(tmp_path: Path) -> None:
    """While hundreds of locks pass from process to process, no probe ever sees one free."""
    path = tmp_path / "lock"
    code = "import sys, time; from trainer.run.locks import Flock; from pathlib import Path\n"
    code += "Flock.adopt(Path(sys.argv[1]), int(sys.argv[2])); print('mine', flush=True); sys.stdin.read()"
    lock = Flock(path)
    assert lock.take()
    free_seen, over = [], threading.Event()

    def probe() -> None:
        while not over.is_set():
            if is_free(path):
                free_seen.append(time.monotonic())

    prober = threading.Thread(target=probe)
    prober.start()
    try:
        argv = [sys.executable, "-P", "-c", code, str(path), str(lock.fd)]
        child = subprocess.Popen(argv, stdin=subprocess.PIPE, stdout=subprocess.PIPE, pass_fds=[lock.fd])
        lock.close()
        assert child.stdout is not None
        assert child.stdout.readline() == b"mine\n"
    finally:
        over.set()
        prober.join()
    assert free_seen == []
    child.communicate()
    assert is_free(path)  # the control: the prober would have seen it


def test_adopt_refuses_another_file_and_a_lock_that_is_held(tmp_path: Path) -> None:
    mine, other = Flock(tmp_path / "mine"), Flock(tmp_path / "other")
    assert mine.take()
    assert other.take()
    with pytest.raises(LockHeldError, match="is not"):
        Flock.adopt(tmp_path / "mine", other.fd)
    fd = os.open(tmp_path / "mine", os.O_RDWR)  # the same file, but another description
    with pytest.raises(LockHeldError, match="held by another"):
        Flock.adopt(tmp_path / "mine", fd)
    os.close(fd)
    with pytest.raises(LockHeldError, match="no lock was handed over"):
        Flock.adopt(tmp_path / "mine", 999)
    assert Flock.adopt(tmp_path / "mine", os.dup(mine.fd)).is_held


@pytest.mark.chaos
@pytest.mark.timeout(300)  # make chaos: 5,000 takes
def test_probes_make_no_take_fail(tmp_path: Path) -> None:
    """Two processes probe as fast as they can while the lock is taken and let go again and again."""
    path = tmp_path / "lock"
    path.touch()
    code = "import select, sys; from pathlib import Path; from trainer.run.locks import is_free\n"
    # its stdin ends with us, however we end: no prober outlives its test
    code += "print('go', flush=True)\nwhile not select.select([0], [], [], 0)[0]: is_free(Path(sys.argv[1]))"
    argv = [sys.executable, "-P", "-c", code, str(path)]
    probers = [subprocess.Popen(argv, stdin=subprocess.PIPE, stdout=subprocess.PIPE) for _ in range(2)]
    try:
        for prober in probers:
            assert prober.stdout is not None
            assert prober.stdout.readline() == b"go\n"
        failed = 0
        for _ in range(trials(400, 5000)):
            lock = Flock(path)
            failed += not lock.take()
            lock.close()
        assert failed == 0
    finally:
        for prober in probers:
            prober.kill()
            prober.communicate()


def test_devices_are_taken_all_or_none(tmp_path: Path) -> None:
    held = Flock(tmp_path / "cuda-1.lock")
    assert held.take()
    locks = DeviceLocks(tmp_path, ["cuda-1", "cuda-0"])
    assert list(locks.locks) == ["cuda-0", "cuda-1"]
    assert not locks.take(retry_s=0.0)
    assert locks.busy == "cuda-1"
    assert is_free(tmp_path / "cuda-0.lock")
    held.close()
    assert locks.take(retry_s=0.0)
    assert not is_free(tmp_path / "cuda-0.lock")
    locks.close()


def test_device_names_touch_no_other_path(tmp_path: Path) -> None:
    with pytest.raises(SpecError, match="not a device"):
        DeviceLocks(tmp_path, ["../agent"])


def test_descriptor_is_not_inherited_by_chance(tmp_path: Path) -> None:
    lock = Flock(tmp_path / "lock")
    assert lock.take()
    child = subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE, close_fds=False)
    lock.close()
    wait_until(lambda: is_free(tmp_path / "lock"), 5.0, "the child's exec to close its copy")
    assert child.poll() is None
    child.communicate(b"\n")


def test_lock_that_was_not_taken_has_no_descriptor(tmp_path: Path) -> None:
    with pytest.raises(LockHeldError, match="not taken"):
        _ = Flock(tmp_path / "lock").fd
