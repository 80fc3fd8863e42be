"""Which file of `log/` comes next, and how a process goes on in it."""

import os
from pathlib import Path

import pytest

from trainer.run.layout import RunDir
from trainer.run.logs import begin_log, continue_log, log_files, log_number, newest_log


@pytest.fixture
def run(tmp_path: Path) -> RunDir:
    return RunDir(tmp_path / "demo-abcdef").create()


def names(run: RunDir) -> list[str]:
    return [path.name for path in log_files(run)]


def test_an_attempt_gets_its_own_number_or_the_next_free_one(run: RunDir) -> None:
    for attempt in (1, 2):
        os.close(begin_log(run, attempt))
    assert names(run) == ["001.log", "002.log"]
    run.log(3).touch()  # attempt 2 went on in it
    os.close(begin_log(run, 3))
    assert names(run)[-1] == "004.log"
    os.close(begin_log(run, 9))  # eight were queued and never began
    assert newest_log(run) == run.log(9)


def test_files_are_ordered_by_number_and_foreign_names_are_no_logs(run: RunDir) -> None:
    for name in ("1000.log", "999.log", "notes.log", ".1001.log.7", "12.log"):
        (run.log_dir / name).touch()
    assert names(run) == ["999.log", "1000.log"]
    assert [log_number(name) for name in ("12.log", "../001.log", "001.log")] == [0, 0, 1]


def test_descriptors_go_on_in_the_next_file_and_both_files_say_so(run: RunDir) -> None:
    out = begin_log(run, 1)
    err = os.dup(out)
    os.write(out, b"one\n")
    assert continue_log(run, run.log(1), (out, err)) == run.log(2)
    os.write(out, b"two\n")
    os.write(err, b"three\n")
    assert run.log(1).read_text() == "one\nphotinus: this log goes on in 002.log\n"
    assert run.log(2).read_text() == "photinus: this log goes on from 001.log\ntwo\nthree\n"
    assert run.log(2).stat().st_mode & 0o777 == 0o600
    assert len(list(run.log_dir.iterdir())) == 2
    assert Path(f"/proc/self/fd/{err}").readlink() == run.log(2)  # and not a deleted file
    for fd in (out, err):
        os.close(fd)


def test_a_number_that_was_taken_meanwhile_is_left_alone(
    run: RunDir, monkeypatch: pytest.MonkeyPatch
) -> None:
    out = begin_log(run, 1)
    dup2 = os.dup2

    def late(fd: int, other: int) -> int:
        run.log(2).write_text("another's\n")
        return dup2(fd, other)

    monkeypatch.setattr(os, "dup2", late)
    assert continue_log(run, run.log(1), (out,)) == run.log(3)
    assert run.log(2).read_text() == "another's\n"
    os.close(out)


def test_a_file_that_a_killed_trainer_had_not_named_yet_is_kept_before_the_next_attempts(
    run: RunDir, monkeypatch: pytest.MonkeyPatch
) -> None:
    out = begin_log(run, 1)

    def killed(*_: object) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(os, "link", killed)
        with pytest.raises(KeyboardInterrupt):
            continue_log(run, run.log(1), (out,))
    os.write(out, b"from another thread\n")
    os.close(out)
    assert names(run) == ["001.log"]
    os.close(begin_log(run, 2))
    assert names(run) == ["001.log", "002.log", "003.log"]
    assert run.log(2).read_text().endswith("from another thread\n")


def test_a_disk_that_refuses_leaves_the_descriptors_as_they_were(
    run: RunDir, monkeypatch: pytest.MonkeyPatch
) -> None:
    out = begin_log(run, 1)
    monkeypatch.setattr(os, "write", _refuse)
    with pytest.raises(OSError, match="full"):
        continue_log(run, run.log(1), (out,))
    monkeypatch.undo()
    os.write(out, b"still here\n")
    os.close(out)
    assert run.log(1).read_text() == "still here\n"
    assert len(list(run.log_dir.iterdir())) == 1


def _refuse(*_: object) -> int:
    raise OSError(28, "full")
