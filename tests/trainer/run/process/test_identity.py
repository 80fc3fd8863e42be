import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from tests.waiting import wait_until
from trainer.run.process.identity import Identity, boot_id, identify, identify_for_good, is_alive, is_stopped
from trainer.run.process.kernel_linux import LinuxReader
from trainer.run.process.signals import RefusedSignalError, own_ancestry, send
from trainer.run.process.system_kernel import system_reader
from trainer.run.run_errors import RunError


@pytest.fixture
def child() -> Iterator["subprocess.Popen[bytes]"]:
    process = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(60)"])
    yield process
    process.kill()
    process.wait()


def who(process: "subprocess.Popen[bytes]") -> Identity:
    found = identify(process.pid)
    assert found is not None
    return found


def test_live_process_is_alive_until_it_is_a_zombie(child: "subprocess.Popen[bytes]") -> None:
    identity = who(child)
    assert is_alive(identity)
    os.kill(child.pid, signal.SIGKILL)
    wait_until(lambda: not is_alive(identity), 5.0, "its death")
    stat = system_reader().stat(child.pid)
    assert stat is not None
    assert stat.is_zombie  # it is still in the table, unreaped
    assert identify(child.pid) == identity
    child.wait()
    assert identify(child.pid) is None


@pytest.mark.parametrize("change", [{"start": 1}, {"boot_id": "an earlier boot"}])
def test_recycled_pid_is_another_process(child: "subprocess.Popen[bytes]", change: dict[str, object]) -> None:
    true = who(child).to_json()
    other = Identity.from_json({**true, **change})
    assert not is_alive(other)
    assert not send(other, signal.SIGKILL)
    assert child.poll() is None
    assert is_alive(Identity.from_json(true))  # the control


def test_whoever_starts_after_an_identity_for_good_has_a_later_start(
    child: "subprocess.Popen[bytes]",
) -> None:
    """`tests/remote/agent/processes/test_pid_reuse.py` shows what an identity taken at once is worth."""
    before = identify_for_good(child.pid)
    for _ in range(5):
        later = subprocess.Popen(["/bin/sleep", "60"])
        after = identify_for_good(later.pid)
        later.kill()
        later.wait()
        assert before is not None
        assert after is not None
        assert after.start > before.start
        before = after
    assert identify_for_good(2**22 + 1) is None


def test_process_that_may_not_be_looked_at_counts_as_alive(monkeypatch: pytest.MonkeyPatch) -> None:
    class Blind(LinuxReader):
        def stat(self, pid: int) -> None:
            return None

    def refused(pid: int, signum: int) -> None:
        raise PermissionError

    identity = Identity(4321, 1, boot_id())
    monkeypatch.setattr(os, "kill", refused)
    assert is_alive(identity, Blind())
    monkeypatch.undo()
    assert not is_alive(replace(identity, pid=2**22 + 1), Blind())


def test_command_name_with_spaces_and_parentheses_is_parsed(tmp_path: Path) -> None:
    folder = tmp_path / "77"
    folder.mkdir()
    fields = ["S", "1", "70", "71", *["0"] * 15, "123456", *["0"] * 10]
    (folder / "stat").write_text(f"77 (a) b (c) S 9) {' '.join(fields)}\n")
    (folder / "status").write_text("Name:\tx\nUid:\t1000\t0\t0\t0\n")
    stat = LinuxReader(tmp_path).stat(77)
    assert stat is not None
    assert (stat.ppid, stat.pgrp, stat.session, stat.start, stat.uid) == (1, 70, 71, 123456, 1000)


def test_machine_without_proc_says_what_is_missing(tmp_path: Path) -> None:
    with pytest.raises(RunError, match="is /proc mounted"):
        LinuxReader(tmp_path).boot_id()


def test_suspended_process_is_seen(child: "subprocess.Popen[bytes]") -> None:
    identity = who(child)
    assert not is_stopped(identity)
    assert send(identity, signal.SIGSTOP)
    wait_until(lambda: is_stopped(identity), 5.0, "the suspension")
    assert is_alive(identity)
    assert send(identity, signal.SIGCONT)
    wait_until(lambda: not is_stopped(identity), 5.0, "the continuation")


def test_signal_reaches_exactly_the_process_that_was_meant(child: "subprocess.Popen[bytes]") -> None:
    twin = subprocess.Popen(child.args)
    assert send(who(child), signal.SIGTERM)
    assert child.wait(5.0) == -signal.SIGTERM
    assert twin.poll() is None
    twin.kill()
    twin.wait()


@pytest.mark.parametrize("pid", [1, 0, -1])
def test_init_and_groups_are_refused(pid: int) -> None:
    with pytest.raises(RefusedSignalError, match=f"pid {pid}"):
        send(Identity(pid, 0, boot_id()), 0)


def test_ourselves_and_our_ancestors_are_refused() -> None:
    assert {os.getpid(), os.getppid()} <= own_ancestry()
    for pid in own_ancestry() - {0, 1}:
        found = identify(pid)
        assert found is not None
        with pytest.raises(RefusedSignalError):
            send(found, 0)


def test_process_of_another_user_is_refused() -> None:
    if os.geteuid() != 0:
        pytest.skip("only root can start a process of another user")
    foreign = subprocess.Popen(["/bin/sleep", "60"], user=65534, cwd="/")
    try:
        with pytest.raises(RefusedSignalError, match="user 65534"):
            send(who(foreign), signal.SIGTERM)
        assert foreign.poll() is None
    finally:
        foreign.kill()
        foreign.wait()


def test_malformed_identity_is_an_error() -> None:
    with pytest.raises(RunError, match="malformed"):
        Identity.from_json({"pid": 1})
    with pytest.raises(RunError, match="malformed"):
        Identity.from_json([1])


def test_a_zombie_that_is_reaped_while_it_is_looked_at_shows_nothing(tmp_path: Path) -> None:
    """Its `stat` was read, and its `task` is gone: whoever looked for survivors then must not fall."""
    (tmp_path / "7").mkdir()
    (tmp_path / "7" / "stat").write_bytes(b"7 (x) Z 1 7 7 0 -1 0 0 0 0 0 0 0 0 0 20 0 1 0 99 0")
    reader = LinuxReader(tmp_path)
    assert reader.environ(7) == b""
    assert not reader.opens(7, 1, 2)
    assert not reader.locks(7, 1, 2)
