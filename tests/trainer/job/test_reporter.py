import os
import sys
from pathlib import Path

import msgspec
import pytest

from trainer.job.reporter import HEADER_EVERY, RunReporter
from trainer.telemetry.write import EventWriter

ROW = {"total": 1.0, "ce": 1.0, "reg": 0.0, "R": 0.5, "u_val": 1.0, "grad_norm": 1.0}


def test_header_returns_every_so_many_rows_and_after_an_evaluation(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with EventWriter(tmp_path / "events.jsonl", attempt=1) as events:
        reporter = RunReporter(events)
        for step in range(HEADER_EVERY + 1):
            reporter.metrics(step, ROW)
        reporter.end_evaluation()
        reporter.metrics(99, ROW)
    said = capsys.readouterr().out.splitlines()
    heads = [number for number, line in enumerate(said) if line.startswith("  Step |")]
    assert heads == [0, HEADER_EVERY + 2, HEADER_EVERY + 6]


def test_closed_pipe_silences_stdout_but_not_the_run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    reader, writer = os.pipe()
    os.close(reader)
    path = tmp_path / "events.jsonl"
    with os.fdopen(writer, "w") as pipe, EventWriter(path, attempt=1) as events:
        monkeypatch.setattr(sys, "stdout", pipe)
        reporter = RunReporter(events)
        reporter.metrics(1, ROW)
        reporter.metrics(2, ROW)
        monkeypatch.undo()
    rows = [msgspec.json.decode(line) for line in path.read_bytes().splitlines()]
    assert [row["type"] for row in rows] == ["note", "metrics", "metrics"]
    assert "nobody reads" in rows[0]["message"]
