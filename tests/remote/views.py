"""A run view to begin with."""

from dataclasses import replace
from typing import Any

from remote.protocol.views import LastCheckpoint, RunView

BASE = RunView(
    run_id="demo-abcdef",
    name="demo",
    kind="trainer",
    state="running",
    seq=3,
    attempt=1,
    reason="",
    code=None,
    signal=None,
    device="cpu",
    preset="kssm-v3-tiny",
    since=100.0,
    created=90.0,
    max_steps=3000,
    pid=4242,
    supervisor_pid=4241,
    resumable=False,
    why_not="it is running",
    last_checkpoint=LastCheckpoint(step=1000, name="step-00001000", sha256="ab" * 32, at=95.0),
    log_file="001.log",
    dir="/somewhere/runs/demo-abcdef",
    start_id="s1",
)


def view(**changes: Any) -> RunView:
    return replace(BASE, **changes)
