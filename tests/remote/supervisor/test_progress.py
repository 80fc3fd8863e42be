"""Whether an attempt made a step: told by the end of its events, however much earlier ones had said."""

import json
from pathlib import Path

import pytest

from remote.supervisor import progress
from remote.supervisor.progress import BLOCK, made_progress
from trainer.run.layout import RunDir


def row(attempt: object, kind: str = "metrics", **more: object) -> str:
    return json.dumps({"type": kind, "attempt": attempt, **more}) + "\n"


@pytest.fixture
def run(tmp_path: Path) -> RunDir:
    return RunDir(tmp_path / "run-aaaaaa").create()


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("", False),
        (row(1), False),
        (row(1) + row(2), True),
        (row(1) + row(2) + row(2, "note") + '{"type": "metrics", "attempt": 2', True),
        (row(1) + row(2, "note"), False),
        (row(1) + row(True, "hello") + row("2") + row([2]) + row(True), False),
        (row(2) + row(3), True),  # a later one has begun already
        (row(2)[:-1], True),
        (row(2) + "[" * 100_000 + '"metrics"\n', True),
        (row(2, pad="x" * 3 * BLOCK), False),  # no line of ours: it is cut, and is no row
        (row(2) + row(2, "sample", pad="x" * 3 * BLOCK), True),
    ],
)
def test_a_row_of_the_attempt_is_found(run: RunDir, text: str, expected: bool) -> None:
    run.events.write_text(text)
    assert made_progress(run, 2) is expected


def test_what_stands_before_the_offset_is_of_before(run: RunDir) -> None:
    run.events.write_text(row(2))
    assert made_progress(run, 2)
    assert not made_progress(run, 2, len(row(2)))
    with run.events.open("a") as file:
        file.write(row(2))
    assert made_progress(run, 2, len(row(2)))


def test_lines_come_whole_over_every_border_of_blocks(run: RunDir, monkeypatch: pytest.MonkeyPatch) -> None:
    lines = [b"", *(b"x" * size for size in range(40)), b"", b"the last"]
    run.events.write_bytes(b"\n".join(lines))
    for block in (40, 41, 64, 1000):
        monkeypatch.setattr(progress, "BLOCK", block)
        with run.events.open("rb") as file:
            assert list(progress._lines_from_the_end(file, 0)) == lines[::-1]


def test_what_earlier_attempts_said_is_not_read(run: RunDir, monkeypatch: pytest.MonkeyPatch) -> None:
    run.events.write_text(row(1) * 60_000 + row(2))
    read: list[bytes] = []

    def attempt_of(line: bytes) -> int | None:
        read.append(line)
        return 2 if b": 2" in line else None

    monkeypatch.setattr(progress, "_attempt_of", attempt_of)
    assert made_progress(run, 2)
    assert len(read) == 2  # what stands behind the last newline, and the row
