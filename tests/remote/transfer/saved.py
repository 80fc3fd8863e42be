"""Runs that are over and have checkpoints, made of files alone, as a trainer would have left them."""

import hashlib
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from tests.remote.scripts import spec
from trainer.run.checkpoints.manifest import MANIFEST, checkpoint_name, seal
from trainer.run.disk.atomic import encode
from trainer.run.home import open_home
from trainer.run.layout import RunDir
from trainer.run.records import write_spec, write_state
from trainer.run.states import State, StateRecord

RUN_ID = "demo-abcdef"
Files = Mapping[str, bytes]


def make_run(home: Path, run_id: str = RUN_ID) -> RunDir:
    """A run that has succeeded, with no checkpoint yet."""
    run = open_home(home).run(run_id).create()
    write_spec(run, spec(run_id=run_id))
    now = time.time()
    for seq, state in enumerate((State.STARTING, State.RUNNING, State.SUCCEEDED), 1):
        write_state(run, seq - 1, StateRecord(run_id=run_id, state=state, seq=seq, attempt=1, since=now))
    return run


def save(run: RunDir, step: int, files: Files, val_ce: float | None = None, **more: Any) -> Path:
    """A sealed checkpoint of the run; the folder."""
    return write_checkpoint(run.checkpoints / checkpoint_name(step), step, files, val_ce, **more)


def write_checkpoint(path: Path, step: int, files: Files, val_ce: float | None = None, **more: Any) -> Path:
    path.mkdir(parents=True)
    for name, data in files.items():
        (path / name).write_bytes(data)
    proofs = {
        name: {"bytes": len(data), "sha256": hashlib.sha256(data).hexdigest()} for name, data in files.items()
    }
    metrics = {} if val_ce is None else {"val_ce": {"value": val_ce, "direction": "min"}}
    manifest = {"format": 1, "step": step, "kind": "periodic", "metrics": metrics, "files": proofs, **more}
    (path / MANIFEST).write_bytes(encode(seal(manifest)))
    return path


def same(here: Path, there: Path) -> bool:
    """Whether two folders hold the same files with the same bytes."""
    names = sorted(path.name for path in there.iterdir())
    return names == sorted(path.name for path in here.iterdir()) and all(
        (here / name).read_bytes() == (there / name).read_bytes() for name in names
    )
