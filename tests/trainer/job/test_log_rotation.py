"""The trainer's log goes on in a further file: whoever follows it gets every byte once, whatever dies."""

import json
import os
import random
import subprocess
import sys
from itertools import pairwise
from pathlib import Path

import pytest

from remote.agent.streams.source import StreamSource
from remote.agent.streams.tail import Tail
from remote.protocol.values import BEGINNING
from tests.trainer.job import talker
from tests.trials import trials
from tests.waiting import wait_until
from trainer.job.log_rotation import OwnLog
from trainer.job.reporter import RunReporter
from trainer.run.layout import RunDir
from trainer.run.logs import begin_log, log_files
from trainer.telemetry.write import EventWriter

MARK = b"photinus: this log goes on "


@pytest.fixture
def run(tmp_path: Path) -> RunDir:
    return RunDir(tmp_path / "demo-abcdef").create()


class Follower:
    """Follows a run's log as an agent does, and keeps what it would have sent."""

    def __init__(self, run: RunDir, source: StreamSource | None = None) -> None:
        self._tail = Tail(1, source or StreamSource(run, "log"), BEGINNING, follow=True)
        self.data = b""

    def drain(self) -> None:
        """Everything that is there."""
        before = -1
        while before < len(self.data):
            before = len(self.data)
            self.look()

    def look(self) -> int:
        for frame in self._tail.poll(lambda: False):
            head, _, data = frame.partition(b"\n")
            assert json.loads(head)["n"] == len(data)
            self.data += data
            self._tail.acknowledge(len(self.data))
        return len(self.data)


def spawn(run: RunDir, attempt: int, limit: int, *lines: int) -> "subprocess.Popen[bytes]":
    words = [str(run.path), *map(str, (attempt, limit, *lines))]
    return subprocess.Popen([sys.executable, talker.__file__, *words])


def on_disk(run: RunDir) -> bytes:
    return b"".join(path.read_bytes() for path in log_files(run))


def counted(run: RunDir, attempt: int) -> list[int]:
    """The numbers that an attempt spoke, in order, without a last line that a kill tore."""
    whole = [line for path in log_files(run) for line in path.read_bytes().split(b"\n")[:-1]]
    return [int(line.split(b":")[1]) for line in whole if line.startswith(b"%d:" % attempt)]


def test_a_long_log_goes_on_in_further_files_between_two_lines(run: RunDir) -> None:
    assert spawn(run, 1, 4096, 3000).wait(20) == 0
    files = log_files(run)
    assert len(files) > 4
    for before, after in pairwise(files):
        assert before.read_bytes().endswith(MARK + b"in " + after.name.encode() + b"\n")
        assert after.read_bytes().startswith(MARK + b"from " + before.name.encode() + b"\n")
        assert 4096 <= before.stat().st_size < 4096 + 200
    assert counted(run, 1) == list(range(3000))


@pytest.mark.chaos
@pytest.mark.timeout(900)
def test_a_follower_gets_every_byte_once_though_the_trainer_is_killed_at_any_moment(run: RunDir) -> None:
    draw = random.Random(5)
    follower, total = Follower(run), trials(6, 100)
    for attempt in range(1, total + 1):
        follower.drain()
        enough = len(follower.data) + draw.randrange(1, 12_000)
        process = spawn(run, attempt, draw.choice([500, 2000, 4000]))
        try:
            wait_until(lambda: follower.look() >= enough, 20.0, "lines")  # noqa: B023
        finally:
            process.kill()
            process.wait(10)
    os.close(begin_log(run, total + 1))
    follower.drain()
    assert follower.data == on_disk(run)
    for attempt in range(1, total + 1):
        numbers = counted(run, attempt)
        assert numbers == list(range(len(numbers)))
    assert len(log_files(run)) > 2 * total
    assert not list(run.log_dir.glob(".*"))


def test_last_words_written_while_the_follower_looks_for_the_next_file_are_not_passed_over(
    run: RunDir,
) -> None:
    class Late(StreamSource):
        def after(self, name: str) -> Path | None:
            if name == "001.log" and not run.log(2).exists():
                with run.log(1).open("ab") as file:
                    file.write(b"last words\n")
                run.log(2).write_bytes(b"next\n")
            return super().after(name)

    run.log(1).write_bytes(b"one\n")
    follower = Follower(run, Late(run, "log"))
    follower.look()
    assert follower.data == b"one\nlast words\nnext\n"


def test_control_a_file_that_got_its_name_before_the_old_one_was_left_costs_bytes(run: RunDir) -> None:
    """Why `continue_log` names the new file last: this is the other order."""
    run.log(1).write_bytes(b"one\n")
    run.log(2).touch()
    follower = Follower(run)
    follower.look()
    with run.log(1).open("ab") as file:
        file.write(b"lost\n")
    run.log(2).write_bytes(b"two\n")
    follower.look()
    assert follower.data == b"one\ntwo\n" != on_disk(run)


def test_output_that_is_not_the_runs_own_log_is_left_alone(run: RunDir, tmp_path: Path) -> None:
    """Alone, or where somebody sent one of the two streams elsewhere."""
    for streams in ("1", "2", "none"):
        code = (
            "import os, sys; from pathlib import Path; from trainer.run.layout import RunDir\n"
            "from trainer.run.logs import begin_log; from trainer.job.log_rotation import OwnLog\n"
            f"run = RunDir(Path({str(run.path)!r})); fd = begin_log(run, 1)\n"
            f"if {streams!r} != 'none': os.dup2(fd, int({streams!r}))\n"
            "log = OwnLog(run, 1)\n"
            "for _ in range(9): os.write(1, b'x\\n'); log.turn_over()\n"
        )
        with (tmp_path / "elsewhere").open("wb") as file:
            subprocess.run([sys.executable, "-c", code], check=True, stdout=file, stderr=file, timeout=20)
    assert len(log_files(run)) == 3  # one a process, none more


def test_another_process_of_the_run_goes_on_where_the_first_one_went(run: RunDir) -> None:
    """As the launcher of several and its other processes do."""
    code = (
        "import os, sys; from pathlib import Path; from trainer.run.layout import RunDir\n"
        "from trainer.job.log_rotation import OwnLog\n"
        f"run = RunDir(Path({str(run.path)!r})); log = OwnLog(run, 1)\n"
        "print('one', flush=True); sys.stdin.readline(); log.keep_up(); print('two', flush=True)\n"
    )
    fd = begin_log(run, 1)
    words = [sys.executable, "-c", code]
    process = subprocess.Popen(words, stdin=subprocess.PIPE, stdout=fd, stderr=fd, text=True)
    os.close(fd)
    wait_until(lambda: run.log(1).read_text() == "one\n", 20.0, "its first line")
    os.close(begin_log(run, 2))
    process.communicate("\n", timeout=20)
    assert (run.log(1).read_text(), run.log(2).read_text()) == ("one\n", "two\n")


def test_a_log_that_cannot_go_on_is_written_on_and_said_once(run: RunDir) -> None:
    class Full(OwnLog):
        def turn_over(self) -> None:
            raise OSError(28, "No space left on device")

    with EventWriter(run.events, 1) as events:
        reporter = RunReporter(events, Full(run, 1))
        reporter.say("one")
        reporter.say("two")
    assert run.events.read_text().count("the log grows on in one file") == 1
