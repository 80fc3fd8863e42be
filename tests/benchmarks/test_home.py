"""The home that the benchmark builds is one that an agent reads."""

from pathlib import Path

from benchmarks.home import fill
from remote.agent.context import Context
from remote.agent.history import row_of
from trainer.run.home import open_home
from trainer.run.process.process_record import read_process


def test_a_filled_home_has_whole_runs_that_are_over(tmp_path: Path) -> None:
    fill(tmp_path / "home", 4)
    ctx = Context.of(open_home(tmp_path / "home"))
    ctx.index.look_now()
    rows = [row_of(ctx, entry) for entry in ctx.index.newest()]
    assert [row and (row.name, row.state, row.step) for row in rows] == [
        ("sweep 3", "succeeded", None),
        ("sweep 2", "stopped", 200),
        ("sweep 1", "failed", None),
        ("sweep 0", "succeeded", 200),
    ]
    assert all(read_process(run) for run in ctx.index.known)
    assert not ctx.index.broken
