"""The index of finished runs: it saves reading, and is never believed over a file."""

import json
import os
import random
from collections.abc import Callable
from pathlib import Path

import pytest

from remote.agent.context import Context
from remote.agent.history import name_of, row_of
from remote.agent.run_index import RunIndex
from tests.remote.finished_runs import finish, history, run_id_of
from trainer.run.disk.atomic import write_json
from trainer.run.home import open_home
from trainer.run.layout import RunDir
from trainer.run.states import State


def looked(root: Path) -> Context:
    """An agent of its own that has looked once."""
    ctx = Context.of(open_home(root))
    ctx.index.look_now()
    return ctx


def learnt(root: Path) -> None:
    """An agent reads the rows of every run, and leaves."""
    ctx = looked(root)
    for entry in ctx.index.newest():
        row_of(ctx, entry)
    ctx.index.close()


def told(root: Path) -> dict[str, str]:
    """Run id -> state, as an agent that has just come tells it."""
    ctx = looked(root)
    rows = [row_of(ctx, entry) for entry in ctx.index.newest()]
    live = {run.run_id: "live" for run in ctx.index.live}
    return live | {row.run_id: row.state for row in rows if row is not None}


def test_the_next_agent_opens_no_file_of_a_run_that_is_over(home: Path) -> None:
    ids = history(home, 5)
    learnt(home)
    opened: list[str] = []
    os_open = os.open

    def spy(path: str | Path, *args: object, **more: object) -> int:
        opened.append(str(path))
        return os_open(path, *args, **more)  # type: ignore[arg-type]

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(os, "open", spy)
        ctx = looked(home)
        assert [row_of(ctx, entry) is not None for entry in ctx.index.newest()] == [True] * 5
    assert not [path for path in opened if any(run_id in path for run_id in ids)]
    with pytest.MonkeyPatch.context() as patch:  # without the index each of them is read
        patch.setattr(os, "open", spy)
        (home / "index").unlink()
        looked(home)
    assert all(any(run_id in path for path in opened) for run_id in ids)


def test_a_file_that_was_changed_behind_our_back_is_believed(home: Path) -> None:
    """In place, to the same size, with its times put back: the kernel's own time of the change remains."""
    run = finish(home, run_id_of(1), state=State.STOPPED)
    learnt(home)
    before = run.state.stat()
    run.state.write_text(run.state.read_text().replace('"stopped"', '"failed" '))
    os.utime(run.state, ns=(before.st_atime_ns, before.st_mtime_ns))
    assert run.state.stat().st_size == before.st_size
    assert told(home) == {run.run_id: "failed"}


def test_a_spec_and_a_checkpoint_that_change_are_read_again(home: Path) -> None:
    run = finish(home, run_id_of(1))
    learnt(home)
    asked = json.loads(run.spec.read_text())
    write_json(run.spec, asked | {"name": "another"})
    (run.checkpoints / "step-00000005").mkdir()
    (run.checkpoints / "step-00000005" / "state.json").write_text('{"step": 5, "files": {}}')
    ctx = looked(home)
    (entry,) = ctx.index.newest()
    row = row_of(ctx, entry)
    assert row is not None
    assert (row.name, row.last_checkpoint and row.last_checkpoint.step, name_of(ctx, entry)) == (
        "another",
        5,
        "another",
    )


def test_what_goes_on_comes_or_goes_is_seen(home: Path) -> None:
    ids = history(home, 3)
    learnt(home)
    finish(home, ids[0], state=State.QUEUED)
    finish(home, run_id_of(77))
    for path in sorted(RunDir(home / "runs" / ids[1]).path.rglob("*"), reverse=True):
        path.rmdir() if path.is_dir() else path.unlink()
    (home / "runs" / ids[1]).rmdir()
    assert told(home) == {ids[0]: "live", ids[2]: "succeeded", run_id_of(77): "succeeded"}


def test_a_moved_or_copied_home_does_not_believe_the_index_of_the_old_place(home: Path) -> None:
    """The rows name the folder of each run."""
    run = finish(home, run_id_of(1))
    learnt(home)
    moved = home.with_name("moved")
    home.rename(moved)
    ctx = looked(moved)
    (entry,) = ctx.index.newest()
    assert entry.details.row == b""
    row = row_of(ctx, entry)
    assert row is not None
    assert row.dir == str(moved / "runs" / run.run_id)


def _cut(path: Path, rng: random.Random) -> None:
    os.truncate(path, rng.randrange(path.stat().st_size))


def _flip(path: Path, rng: random.Random) -> None:
    data = bytearray(path.read_bytes())
    for _ in range(20):
        data[rng.randrange(len(data))] ^= 1 << rng.randrange(8)
    path.write_bytes(data)


def _lie(path: Path, _rng: random.Random) -> None:
    path.write_bytes(path.read_bytes().replace(b"succeeded", b"failed"))


def _another_kind(make: Callable[[Path], object]) -> Callable[[Path, random.Random], None]:
    def damage(path: Path, _rng: random.Random) -> None:
        path.unlink()
        make(path)

    return damage


DAMAGES = {
    "cut": _cut,
    "flip": _flip,
    "lie": _lie,
    "fifo": _another_kind(os.mkfifo),
    "folder": _another_kind(Path.mkdir),
    "link": _another_kind(lambda path: path.symlink_to("/dev/zero")),
    "deep": _another_kind(lambda path: path.write_text("[" * 200_000)),
}


@pytest.mark.parametrize("kind", DAMAGES)
def test_a_damaged_index_changes_no_answer(home: Path, kind: str) -> None:
    ids = history(home, 6)
    learnt(home)
    expected = dict.fromkeys(ids, "succeeded")
    for seed in range(5):
        DAMAGES[kind](home / "index", random.Random(seed))
        assert told(home) == expected
        if kind not in ("cut", "flip", "lie"):
            return  # what is no file of ours is left alone
        learnt(home)


def test_another_version_reads_everything_itself(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    finish(home, run_id_of(1))
    learnt(home)
    assert looked(home).index.newest()[0].details.row
    monkeypatch.setattr("remote.agent.index_file.version", lambda: "9.9")
    assert not looked(home).index.newest()[0].details.row


def test_the_file_does_not_grow_for_ever(home: Path) -> None:
    run = finish(home, run_id_of(1))
    learnt(home)
    once = (home / "index").stat().st_size
    index = RunIndex(open_home(home))
    for seq in range(600):
        run.state.write_text(run.state.read_text().replace("planned", f"planned {seq}")[:-1] + "}")
        index.look_now()
        index.close()
    assert (home / "index").stat().st_size < 400 * once
    assert told(home) == {run.run_id: "succeeded"}


def test_a_run_that_cannot_be_read_is_told_and_hides_no_other(home: Path) -> None:
    ids = history(home, 3)
    RunDir(home / "runs" / ids[1]).state.write_text("{torn")
    for _ in range(2):  # with the index and without
        ctx = looked(home)
        assert [entry.run_id for entry in ctx.index.newest()] == [ids[0], ids[2]]
        assert "not JSON" in ctx.index.broken[ids[1]].why
        ctx.index.close()
