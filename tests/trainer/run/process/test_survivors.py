"""Three marks: trainer.lock, token, session id. Each finds what the others miss."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from dataclasses import replace
from pathlib import Path

import pytest

from tests.waiting import wait_until
from trainer.run.layout import RunDir
from trainer.run.locks import Flock, is_free
from trainer.run.process import survivors as survivors_module
from trainer.run.process.folder_place import place_of
from trainer.run.process.identity import boot_id, identify, is_alive
from trainer.run.process.kernel_linux import LinuxReader
from trainer.run.process.process_record import TOKEN_VARIABLE, ProcessRecord
from trainer.run.process.survivors import main_process, settled, survivors

TOKEN = "5" * 32
SLEEP = [sys.executable, "-c", "import time; time.sleep(60)"]


@pytest.fixture
def run(tmp_path: Path) -> RunDir:
    return RunDir(tmp_path / "run-aaaaaa").create()


@pytest.fixture
def started() -> Iterator["list[subprocess.Popen[bytes]]"]:
    processes: list[subprocess.Popen[bytes]] = []
    yield processes
    for process in processes:
        process.kill()
        process.wait()


def record_for(
    run: RunDir, trainer: "subprocess.Popen[bytes] | None" = None, token: str = TOKEN
) -> ProcessRecord:
    me = identify(os.getpid())
    assert me is not None
    who = identify(trainer.pid) if trainer else None
    return ProcessRecord(
        attempt=1,
        token=token,
        boot_id=boot_id(),
        supervisor=me,
        trainer=who,
        session=trainer.pid if trainer else None,
        place=place_of(run.path),
    )


def clean(extra: Mapping[str, str] = {}) -> dict[str, str]:
    return {key: value for key, value in os.environ.items() if key != TOKEN_VARIABLE} | dict(extra)


def test_each_mark_is_found_and_named(run: RunDir, started: "list[subprocess.Popen[bytes]]") -> None:
    with Flock(run.trainer_lock) as lock:
        assert lock.take()
        by_lock = subprocess.Popen(SLEEP, env=clean(), pass_fds=[lock.fd])
    by_token = subprocess.Popen(SLEEP, env=clean({TOKEN_VARIABLE: TOKEN}), start_new_session=True)
    by_session = subprocess.Popen(SLEEP, env=clean(), start_new_session=True)
    bystander = subprocess.Popen(SLEEP, env=clean({TOKEN_VARIABLE: "6" * 32}))
    started += [by_lock, by_token, by_session, bystander]
    found = {one.pid: one.found_by for one in survivors(run, record_for(run, by_session))}
    assert found == {
        by_lock.pid: ("lock",),
        by_token.pid: ("token",),
        by_session.pid: ("session", "recorded"),
    }
    without = survivors(run, record_for(run, by_session), exclude={by_lock.pid})
    assert by_lock.pid not in {one.pid for one in without}


def test_whoever_only_opens_or_probes_the_lock_holds_nothing(
    run: RunDir, started: "list[subprocess.Popen[bytes]]"
) -> None:
    with Flock(run.trainer_lock) as lock:
        assert lock.take()
        holder = subprocess.Popen(SLEEP, env=clean(), pass_fds=[lock.fd])
        with run.trainer_lock.open("rb") as reading:
            reader = subprocess.Popen(SLEEP, env=clean(), pass_fds=[reading.fileno()])
    started += [holder, reader]
    assert [one.pid for one in survivors(run, None)] == [holder.pid]


def test_where_the_kernel_names_no_holder_whoever_has_a_held_lock_open_counts(
    run: RunDir, started: "list[subprocess.Popen[bytes]]"
) -> None:
    class Silent(LinuxReader):
        def locks(self, pid: int, device: int, inode: int) -> None:
            return None

    with Flock(run.trainer_lock) as lock:
        assert lock.take()
        started.append(subprocess.Popen(SLEEP, env=clean(), pass_fds=[lock.fd]))
    assert [one.pid for one in survivors(run, None, reader=Silent())] == [started[0].pid]
    started[0].kill()
    started[0].wait()
    with run.trainer_lock.open("rb") as reading:  # the control: open, but nobody holds it
        started.append(subprocess.Popen(SLEEP, env=clean(), pass_fds=[reading.fileno()]))
    assert survivors(run, None, reader=Silent()) == []


def test_zombie_is_no_survivor(run: RunDir, started: "list[subprocess.Popen[bytes]]") -> None:
    process = subprocess.Popen(SLEEP, env=clean({TOKEN_VARIABLE: TOKEN}))
    started.append(process)
    assert [one.pid for one in survivors(run, record_for(run))] == [process.pid]
    process.kill()
    os.waitid(os.P_PID, process.pid, os.WEXITED | os.WNOWAIT)
    assert survivors(run, record_for(run)) == []


HEADLESS = """
import ctypes, sys, threading, time
threading.Thread(target=time.sleep, args=(120,)).start()
print("begun", flush=True)
ctypes.CDLL(None).pthread_exit(None)
"""


@pytest.mark.skipif(sys.platform != "linux", reason="a zombie with live threads is Linux's")
def test_a_process_whose_first_thread_has_ended_is_a_survivor_by_every_mark(
    run: RunDir, started: "list[subprocess.Popen[bytes]]"
) -> None:
    """The kernel calls it a zombie, and shows its environment and files at its other threads alone."""
    with Flock(run.trainer_lock) as lock:
        assert lock.take()
        process = subprocess.Popen(
            [sys.executable, "-c", HEADLESS],
            env=clean({TOKEN_VARIABLE: TOKEN}),
            pass_fds=[lock.fd],
            start_new_session=True,
            stdout=subprocess.PIPE,
        )
    started.append(process)
    stat = Path(f"/proc/{process.pid}/stat")
    wait_until(lambda: b") Z " in stat.read_bytes(), 10.0, "the end of its first thread")
    (one,) = survivors(run, record_for(run, process))
    assert (one.pid, one.found_by) == (process.pid, ("lock", "token", "session", "recorded"))
    assert is_alive(one.identity)
    process.kill()
    os.waitid(os.P_PID, process.pid, os.WEXITED | os.WNOWAIT)
    assert survivors(run, record_for(run, process)) == [], "the control: a zombie without threads"
    assert not is_alive(one.identity)


def test_record_of_an_earlier_boot_matches_nothing(
    run: RunDir, started: "list[subprocess.Popen[bytes]]"
) -> None:
    process = subprocess.Popen(SLEEP, env=clean({TOKEN_VARIABLE: TOKEN}), start_new_session=True)
    started.append(process)
    record = record_for(run, process)
    assert len(survivors(run, record)) == 1
    assert survivors(run, replace(record, boot_id="an earlier boot")) == []


def test_session_led_by_another_process_is_not_ours(
    run: RunDir, started: "list[subprocess.Popen[bytes]]"
) -> None:
    """The session id was recycled: its leader started at another time than our trainer."""
    stranger = subprocess.Popen(SLEEP, env=clean(), start_new_session=True)
    started.append(stranger)
    record = record_for(run, stranger)
    assert record.trainer is not None
    assert len(survivors(run, record)) == 1
    earlier = replace(record, trainer=replace(record.trainer, start=record.trainer.start - 1))
    assert survivors(run, earlier) == []


def test_trainer_of_a_supervisor_that_died_before_recording_it_is_the_session_leader(
    run: RunDir, started: "list[subprocess.Popen[bytes]]"
) -> None:
    env = clean({TOKEN_VARIABLE: TOKEN})
    started.append(subprocess.Popen(SLEEP, env=env, start_new_session=True))
    started.append(subprocess.Popen(SLEEP, env=env))
    record = record_for(run)
    found = survivors(run, record)
    assert len(found) == 2
    main = main_process(found, record)
    assert main is not None
    assert main.pid == started[0].pid


def test_lock_mark_outlives_the_process_that_took_it(run: RunDir) -> None:
    """The agent takes a lock and is gone; the kernel still names whoever inherited it."""
    code = "import os, subprocess, sys; from pathlib import Path; from trainer.run.locks import Flock\n"
    code += "lock = Flock(Path(sys.argv[1])); lock.take()\n"
    code += "print(subprocess.Popen(['sleep', '60'], pass_fds=[lock.fd], stdout=subprocess.DEVNULL).pid)"
    argv = [sys.executable, "-P", "-c", code, str(run.trainer_lock)]
    pid = int(subprocess.run(argv, env=clean(), stdout=subprocess.PIPE, check=True).stdout)
    try:
        assert [(one.pid, one.found_by) for one in survivors(run, None)] == [(pid, ("lock",))]
    finally:
        os.kill(pid, signal.SIGKILL)


class Late(LinuxReader):
    """A process table that shows a process only when it is read for the `shows`-th time."""

    def __init__(self, pid: int, shows: int) -> None:
        super().__init__()
        self.pid, self.shows, self.reads = pid, shows, 0

    def pids(self) -> list[int]:
        self.reads += 1
        return [pid for pid in super().pids() if pid != self.pid or self.reads >= self.shows]


def test_what_is_born_while_the_table_is_read_is_seen(
    run: RunDir, started: "list[subprocess.Popen[bytes]]"
) -> None:
    started.append(subprocess.Popen(SLEEP, env=clean({TOKEN_VARIABLE: TOKEN})))
    record, pid = record_for(run), started[0].pid
    assert [one.pid for one in survivors(run, record, reader=Late(pid, 2))] == [pid]


def test_one_scan_that_saw_nobody_is_not_believed(
    run: RunDir, started: "list[subprocess.Popen[bytes]]"
) -> None:
    class Once(Late):
        """The first scan sees nobody at all."""

        def pids(self) -> list[int]:
            self.reads += 1
            return [] if self.reads == 1 else LinuxReader.pids(self)

    started.append(subprocess.Popen(SLEEP, env=clean({TOKEN_VARIABLE: TOKEN})))
    record, pid = record_for(run), started[0].pid
    assert survivors(run, record, reader=Once(pid, 0)) == []
    assert [one.pid for one in settled(run, record, reader=Once(pid, 0))] == [pid]
    started[0].kill()
    started[0].wait()
    assert settled(run, record) == []  # the control: nobody lives


def test_nobody_lives_only_if_the_lock_is_free_too(run: RunDir, monkeypatch: pytest.MonkeyPatch) -> None:
    """The holder shows in no scan (it is this process, which never counts): the answer takes its time."""
    answers: list[bool] = []

    def asked(path: Path) -> bool:
        answers.append(is_free(path))
        return answers[-1]

    monkeypatch.setattr(survivors_module, "is_free", asked)
    began = time.monotonic()
    with Flock(run.trainer_lock) as lock:
        assert lock.take()
        assert settled(run, record_for(run)) == []
    assert set(answers) == {False}
    assert time.monotonic() - began >= survivors_module.UNSEEN_S
    answers.clear()
    assert settled(run, record_for(run)) == []
    assert set(answers) == {True}
