"""`read` and `formats`: what they print, from where they read, and what they answer."""

import gzip
import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from remote.hosts.client_state import make_client_folder
from tests.tui.commands.conftest import Photinus
from tests.waiting import wait_until
from tui.commands.output import NOT_FOUND

ROW = "iter {}: loss 2.5000, time 10.00ms, mfu 1.00%\n"
LOG = "step 0: train loss 4.2, val loss 4.3\n" + "".join(ROW.format(step) for step in range(0, 40, 10))


@pytest.fixture
def log(tmp_path: Path) -> Path:
    path = tmp_path / "train.log"
    path.write_text(LOG)
    return path


def steps(out: str) -> list[tuple[str, int]]:
    told = [json.loads(line) for line in out.splitlines()]
    return [(row["type"], row["step"]) for row in told]


def photinus_process(*words: str, stdin: int, stderr: int | None = None) -> "subprocess.Popen[bytes]":
    return subprocess.Popen(
        [sys.executable, "-m", "tui.cli", *words], stdin=stdin, stdout=subprocess.PIPE, stderr=stderr
    )


def test_json_is_an_event_a_line_without_a_time_that_nobody_knows(photinus: Photinus, log: Path) -> None:
    said = photinus("read", str(log), "--json")
    assert said.code == 0
    assert steps(said.out) == [("eval", 0), *[("metrics", step) for step in range(0, 40, 10)]]
    assert not any("t" in json.loads(line) for line in said.out.splitlines())


def test_words_name_the_format_and_say_a_row_a_line(photinus: Photinus, log: Path) -> None:
    said = photinus("read", str(log))
    first, scores, row, *_ = said.out.splitlines()
    assert (said.code, first) == (0, "nanoGPT")
    assert scores == "eval 0  train_loss 4.2  val_loss 4.3"
    assert row == "step 0  loss 2.5  step_ms 10  mfu 1"


def test_nothing_in_the_words_steers_a_terminal(photinus: Photinus, tmp_path: Path) -> None:
    path = tmp_path / "x.jsonl"
    path.write_text(
        "".join(json.dumps({"step": n, "loss": 1.0, "a\x1b[2Jb\x9b": 2.0}) + "\n" for n in (1, 2))
    )
    said = photinus("read", str(path))
    assert said.code == 0
    assert "\x1b" not in said.out
    assert "\x9b" not in said.out


def test_a_log_that_nobody_knows_is_answered_with_what_to_do(photinus: Photinus, tmp_path: Path) -> None:
    path = tmp_path / "notes.md"
    path.write_text("K-SSM v3 is a model.\nError: none\n")
    said = photinus("read", str(path))
    assert (said.code, said.out) == (1, "")
    assert "no known metrics in this log" in said.err
    assert "step=10 loss=2.31" in said.err
    assert "nanoGPT" in said.err


@pytest.mark.parametrize("name", ["-", "/dev/stdin"])
def test_a_pipe_is_read_whole_packed_or_not(name: str) -> None:
    data = "".join(ROW.format(step) for step in range(0, 60_000, 10)).encode()
    told = gzip.compress(data) if name == "-" else data
    words = [sys.executable, "-m", "tui.cli", "read", "--json", name]
    ran = subprocess.run(words, input=told, capture_output=True)
    assert ran.returncode == 0, ran.stderr
    assert steps(ran.stdout.decode()) == [("metrics", step) for step in range(0, 60_000, 10)]


def test_a_device_without_end_is_no_log(photinus: Photinus) -> None:
    said = photinus("read", "/dev/zero")
    assert said.code != 0
    assert "/dev/zero" in said.err
    assert "device" in said.err
    assert "device" not in photinus("read", "/dev/null").err, "the control: it ends at once"


def test_a_fifo_that_nobody_writes_is_waited_for_and_told(tmp_path: Path) -> None:
    path = tmp_path / "fifo"
    os.mkfifo(path)
    reader = photinus_process("read", "--json", str(path), stdin=subprocess.DEVNULL, stderr=subprocess.PIPE)
    try:
        assert reader.stderr is not None
        assert b"nobody writes" in reader.stderr.readline()
        path.write_text(LOG)
        out, _ = reader.communicate()
        assert (reader.returncode, len(steps(out.decode()))) == (0, 5)
    finally:
        reader.kill()
        reader.wait()


def test_a_row_is_printed_while_the_pipe_is_still_open() -> None:
    ours, theirs = os.pipe()
    reader = photinus_process("read", "--json", "-", stdin=ours)
    os.close(ours)
    try:
        os.write(theirs, (ROW.format(0) + ROW.format(10)).encode())
        assert reader.stdout is not None
        assert json.loads(reader.stdout.readline())["step"] == 0
        assert reader.poll() is None
    finally:
        os.close(theirs)
        reader.communicate()
    assert reader.returncode == 0


def test_follow_goes_on_over_growth_and_rotation_and_gives_new_rows_a_time(tmp_path: Path, log: Path) -> None:
    reader = photinus_process("read", "--json", "-f", str(log), stdin=subprocess.DEVNULL)
    try:
        assert reader.stdout is not None
        old = [json.loads(reader.stdout.readline()) for _ in range(5)]
        assert not any("t" in row for row in old)
        with log.open("a") as file:
            file.write(ROW.format(40))
        grown = json.loads(reader.stdout.readline())
        log.rename(tmp_path / "train.log.1")
        log.write_text(ROW.format(50) + ROW.format(60))
        rotated = [json.loads(reader.stdout.readline())["step"] for _ in range(2)]
        assert (grown["step"], grown["t"] > 1e9, rotated) == (40, True, [50, 60])
    finally:
        reader.terminate()
        reader.communicate()
    wait_until(lambda: reader.poll() is not None)


def test_a_file_that_is_not_there_yet_is_waited_for_and_cut_files_are_read_anew(tmp_path: Path) -> None:
    log = tmp_path / "later.log"
    reader = photinus_process(
        "read", "--json", "-f", str(log), stdin=subprocess.DEVNULL, stderr=subprocess.PIPE
    )
    try:
        assert reader.stdout is not None
        assert reader.stderr is not None
        assert b"not there yet" in reader.stderr.readline()
        log.write_text(ROW.format(0) + ROW.format(10))
        assert [json.loads(reader.stdout.readline())["step"] for _ in range(2)] == [0, 10]
        log.write_text("".join(map(ROW.format, range(5))))  # cut, and longer than it was
        again = [json.loads(reader.stdout.readline()) for _ in range(6)]
        assert [row["step"] for row in again if row["type"] == "metrics"] == [0, 1, 2, 3, 4]
        assert again[0]["type"] == "resume"
    finally:
        reader.terminate()
        reader.communicate()
    assert photinus_process("read", str(tmp_path / "none"), stdin=subprocess.DEVNULL).wait() == NOT_FOUND


def test_a_document_that_is_written_anew_tells_its_new_rows_alone(tmp_path: Path) -> None:
    history = [{"step": n, "loss": 2.0} for n in (10, 20, 30)]
    state, part = tmp_path / "trainer_state.json", tmp_path / "part"
    state.write_text(json.dumps({"log_history": history[:2], "max_steps": 100}, indent=1))
    reader = photinus_process("read", "--json", "-f", str(state), stdin=subprocess.DEVNULL)
    try:
        assert reader.stdout is not None
        rows = [json.loads(reader.stdout.readline()) for _ in range(3)]
        part.write_text(json.dumps({"log_history": history, "max_steps": 100}, indent=1))
        part.rename(state)
        rows.append(json.loads(reader.stdout.readline()))
        assert [row["step"] for row in rows if row["type"] == "metrics"] == [10, 20, 30]
    finally:
        reader.terminate()
        reader.communicate()


def test_ones_own_format_is_tried_alone_and_read_before_the_others(
    photinus: Photinus, tmp_path: Path, log: Path
) -> None:
    mine = tmp_path / "mine.log"
    mine.write_text("turn 1 err=2.5\nturn 2 err=2.25\n")
    said = photinus("formats", "try", str(mine))
    assert said.code == 2
    assert "no format of your own" in said.err
    folder = make_client_folder("formats")
    (folder / "mine.yaml").write_text(r"rows: {train: 'turn (?P<step>\d+) err=(?P<loss>\S+)'}" + "\n")
    said = photinus("formats", "try", str(mine))
    assert (said.code, said.out.splitlines()) == (0, ["mine", "step 1  loss 2.5", "step 2  loss 2.25"])
    assert photinus("formats", "try", str(log)).code == 1  # it is none of one's own
    assert photinus("read", str(mine)).code == 0
    assert photinus("read", str(log)).code == 0
    assert [row["name"] for row in photinus("formats", "--json").json if row["own"]] == ["mine"]
    (folder / "bad.yaml").write_text("rwos: {}\n")
    said = photinus("read", str(log))
    assert said.code == 2
    assert "unknown key 'rwos'" in said.err
