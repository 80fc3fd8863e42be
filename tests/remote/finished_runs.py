"""Runs that are over, made of files alone and fast: a history."""

import json
import time
from pathlib import Path
from typing import Any

from tests.remote.scripts import spec
from trainer.run.home import open_home
from trainer.run.layout import RunDir
from trainer.run.states import State, StateRecord

LETTERS = "abcdefghijklmnopqrstuvwxyz234567"


def run_id_of(number: int, slug: str = "old") -> str:
    """`old-aaaaab` and so on."""
    digits = ""
    for _ in range(6):
        number, digit = divmod(number, len(LETTERS))
        digits = LETTERS[digit] + digits
    return f"{slug}-{digits}"


def finish(
    root: Path, run_id: str, *, ended: float = 0.0, state: State = State.SUCCEEDED, **more: Any
) -> RunDir:
    """A command that is over; `more` goes into its spec."""
    run = open_home(root).run(run_id).create()
    ended = ended or time.time()
    asked = spec(run_id=run_id, created=ended - 10).to_json() | more
    run.spec.write_text(json.dumps(asked))
    record = StateRecord(run_id=run_id, state=state, seq=3, attempt=1, since=ended, reason="as planned")
    run.state.write_text(json.dumps(record.to_json()))
    run.log(1).write_text("over\n")
    return run


def history(root: Path, count: int, **more: Any) -> list[str]:
    """`count` runs, each ended a second before the one that stands before it: the newest first."""
    now = time.time() - 100
    ids = [run_id_of(number) for number in range(count)]
    for number, run_id in enumerate(ids):
        finish(root, run_id, ended=now - number, **more)
    return ids
