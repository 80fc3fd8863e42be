"""Whether an attempt has made a step of its own: a metrics row says so (the first step always speaks)."""

import json
import os

from trainer.run.disk.small_record import open_plain
from trainer.run.layout import RunDir
from trainer.run.logs import log_files
from trainer.run.process.process_record import read_process
from trainer.run.run_errors import RecordError, RunError

LINE_MAX = 1 << 20


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
    """Whether a metrics row of `attempt` stands at or after `offset`; a torn line is no row."""
    try:
        with os.fdopen(open_plain(run.events), "rb") as file:
            file.seek(offset)
            return any(_is_row(line, attempt) for line in iter(lambda: file.readline(LINE_MAX), b""))
    except (OSError, RecordError):
        return False


def _is_row(line: bytes, attempt: int) -> bool:
    if b'"metrics"' not in line:
        return False
    try:
        row = json.loads(line)
    except (ValueError, RecursionError):
        return False
    return isinstance(row, dict) and row.get("type") == "metrics" and row.get("attempt") == attempt
