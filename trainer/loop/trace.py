"""`profile.at`: the operators of one step with their times, for chrome://tracing or ui.perfetto.dev."""

import gzip
import tempfile
from collections.abc import Callable
from pathlib import Path

from torch.profiler import ProfilerActivity, profile

from trainer.loop.context import Training

TRACE_MAX = 256 << 20
"""Bytes of a trace, packed; a larger one is left out, and that is said."""


def traced(run: Training, step: Callable[[Training], None]) -> None:
    """Perform a step, and trace it where it is the one that is asked for.

    A traced step is slower; packing what it left counts as outside. Of several processes the first is traced.
    """
    run.trace = b""
    if run.config.profile.at != run.state.step + 1:
        return step(run)
    activities = [ProfilerActivity.CPU]
    if run.device.kind == "cuda":
        activities.append(ProfilerActivity.CUDA)
    with profile(activities=activities, record_shapes=True) as found:
        step(run)
        run.device.synchronize()
    with run.clock.outside("profile"), tempfile.TemporaryDirectory(prefix="photinus-trace-") as folder:
        path = Path(folder, "trace.json")
        found.export_chrome_trace(str(path))
        run.trace = gzip.compress(path.read_bytes(), 6)
    number = run.state.step
    if len(run.trace) > TRACE_MAX:
        run.job.reporter.note(f"no trace of step {number}: {len(run.trace):,} bytes are too many", "warning")
        run.trace = b""
        return None
    name = f"checkpoints/step-{number:08d}/trace.json.gz"
    return run.job.reporter.note(
        f"step {number} was traced: {name} (open it in ui.perfetto.dev)", "info", number
    )
