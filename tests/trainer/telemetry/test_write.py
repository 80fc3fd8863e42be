import math
import os
from pathlib import Path
from typing import Any

import msgspec
import pytest

from trainer.telemetry.write import EventWriter, position


def lines_of(path: Path) -> list[dict[str, Any]]:
    found = []
    for line in path.read_bytes().split(b"\n"):
        try:
            found.append(msgspec.json.decode(line, type=dict))
        except msgspec.DecodeError:
            continue
    return found


def test_every_line_has_type_seq_attempt_and_time(tmp_path: Path) -> None:
    path = tmp_path / "events.jsonl"
    with EventWriter(path, attempt=1) as events:
        events.hello(name="a", preset="p", max_steps=3, device="cpu", pid=1)
        events.metrics(1, {"ce": 2.5})
        events.note("words")
    rows = lines_of(path)
    assert [row["type"] for row in rows] == ["hello", "metrics", "note"]
    assert [row["seq"] for row in rows] == [1, 2, 3]
    assert all(row["attempt"] == 1 and row["t"] > 0 for row in rows)
    assert rows[1]["step"] == 1
    assert rows[1]["ce"] == 2.5
    assert "step" not in rows[2]


def test_non_finite_values_are_null_and_named(tmp_path: Path) -> None:
    path = tmp_path / "events.jsonl"
    with EventWriter(path, attempt=1) as events:
        events.metrics(1, {"ce": math.nan, "R": 0.5, "grad_norm": math.inf})
        events.metrics(2, {"ce": 1.0})
    bad, good = lines_of(path)
    assert bad["ce"] is None
    assert sorted(bad["nonfinite"]) == ["ce", "grad_norm"]
    assert "nonfinite" not in good


def test_torn_tail_is_closed_by_the_next_attempt_and_seq_goes_on(tmp_path: Path) -> None:
    path = tmp_path / "events.jsonl"
    with EventWriter(path, attempt=1) as events:
        events.note("one")
        events.note("two")
    with path.open("ab") as file:
        file.write(b'{"type":"metrics","seq":3,"att')
    assert position(path).torn
    with EventWriter(path, attempt=2) as events:
        events.note("three")
    assert [(row["seq"], row["attempt"]) for row in lines_of(path)] == [(1, 1), (2, 1), (3, 2)]
    assert path.read_bytes().count(b"\n") == 4


def test_whole_tail_is_not_taken_for_torn(tmp_path: Path) -> None:
    path = tmp_path / "events.jsonl"
    with EventWriter(path, attempt=1) as events:
        events.note("one")
    assert not position(path).torn
    with EventWriter(path, attempt=2) as events:
        events.note("two")
    assert path.read_bytes().count(b"\n") == 2


def test_line_cut_by_a_full_disk_leaves_the_next_on_a_line_of_its_own(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "events.jsonl"
    real_write = os.write
    room = [20]

    def short_write(fd: int, data: bytes) -> int:
        if not room[0]:
            raise OSError(28, "No space left on device")
        count = real_write(fd, data[: room[0]])
        room[0] -= count
        return count

    with EventWriter(path, attempt=1) as events:
        with monkeypatch.context() as patch:
            patch.setattr(os, "write", short_write)
            with pytest.raises(OSError, match="No space"):
                events.note("a line that does not fit any more")
        events.note("a line that fits")
    assert [row["message"] for row in lines_of(path)] == ["a line that fits"]
