"""Whether an attempt has made a step of its own: a metrics row says so (the first step always speaks)."""

import json
import os
from collections.abc import Iterator
from typing import BinaryIO

from trainer.run.disk.small_record import open_plain
from trainer.run.layout import RunDir
from trainer.run.logs import log_files
from trainer.run.process.process_record import read_process
from trainer.run.run_errors import RecordError, RunError

BLOCK = 1 << 20


def events_size(run: RunDir) -> int:
    """Bytes of events.jsonl before an attempt, so that only its own are read after it."""
    try:
        return run.events.stat().st_size
    except FileNotFoundError:
        return 0


def lived_s(run: RunDir) -> float:
    """How long the recorded attempt went on, by its last sign of life; 0 where nothing tells."""
    try:
        record = read_process(run)
    except RunError:
        return 0.0
    signs = [path.stat().st_mtime for path in (run.events, *log_files(run)[-1:]) if path.exists()]
    return max(signs) - record.started if record is not None and record.started and signs else 0.0


def made_progress(run: RunDir, attempt: int, offset: int = 0) -> bool:
    """Whether a metrics row of `attempt` stands at or after `offset`; a torn line is no row.

    Read from the end, as attempts follow each other: what earlier ones wrote, gigabytes perhaps, is not.
    """
    try:
        with os.fdopen(open_plain(run.events), "rb") as file:
            for line in _lines_from_the_end(file, offset):
                row_attempt = _attempt_of(line)
                if row_attempt is not None and row_attempt <= attempt:
                    return row_attempt == attempt
    except (OSError, RecordError):
        pass
    return False


def _lines_from_the_end(file: BinaryIO, offset: int) -> Iterator[bytes]:
    """The lines at or after `offset`, the last one first; one that is longer than a block is cut."""
    end, rest = file.seek(0, os.SEEK_END), b""
    while end > offset:
        start = max(offset, end - BLOCK)
        file.seek(start)
        first, *lines = (file.read(end - start) + rest).split(b"\n")
        yield from reversed(lines)
        end, rest = start, first[:BLOCK]
    yield rest


def _attempt_of(line: bytes) -> int | None:
    """The attempt whose metrics row a line is; None where it is none."""
    if b'"metrics"' not in line:
        return None
    try:
        row = json.loads(line)
    except (ValueError, RecursionError):
        return None
    attempt = row.get("attempt") if isinstance(row, dict) and row.get("type") == "metrics" else None
    return attempt if isinstance(attempt, int) and not isinstance(attempt, bool) else None
