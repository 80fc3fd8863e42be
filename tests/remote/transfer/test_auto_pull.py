"""`auto_pull: best`: each new best, one at a time, and never an exception."""

import contextlib
import shutil
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from remote.protocol.errors import CallError
from remote.protocol.views import LastCheckpoint, RunView
from remote.session.link.link_state import LinkState
from remote.session.session import Session
from remote.session.updates import LinkChanged, RunChanged, RunsSeen
from remote.transfer.auto_pull import AutoPull, AutoPulled, AutoPullFailed, Note
from remote.transfer.pull import Pulled, pull
from tests.remote.transfer.saved import RUN_ID, make_run, same, save
from tests.remote.views import view
from tests.waiting import wait_until
from trainer.run.layout import RunDir


@pytest.fixture
def run(home: Path) -> RunDir:
    return make_run(home)


@pytest.fixture
def begin(session: Session, tmp_path: Path) -> Iterator[Callable[..., AutoPull]]:
    begun: list[AutoPull] = []

    def start(fetch: Callable[..., Pulled] = pull) -> AutoPull:
        begun.append(AutoPull(session, folder=tmp_path / "to", fetch=fetch))
        return begun[-1]

    yield start
    for one in begun:
        one.close()


def seen(step: int, run_id: str = RUN_ID, state: str = "running") -> RunView:
    last = LastCheckpoint(step=step, name=f"step-{step:08d}", sha256=f"{step:064d}", at=1.0)
    return view(run_id=run_id, state=state, last_checkpoint=last)


def wait_for_notes(auto: AutoPull, count: int) -> list[Note]:
    notes: list[Note] = []

    def enough() -> bool:
        notes.extend(auto.drain())
        return len(notes) >= count

    wait_until(enough, 10.0, "notes")
    return notes


def test_what_comes_by_itself_leaves_two_gib_of_the_disk_free(
    session: Session, run: RunDir, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nobody watches it: a host with a better "best" each minute must not fill this disk."""
    save(run, 100, {"model.safetensors": b"one"}, 2.0)
    room = shutil.disk_usage(tmp_path)
    free = [2 << 30]
    monkeypatch.setattr(shutil, "disk_usage", lambda _: room._replace(free=free[0]))
    with contextlib.closing(AutoPull(session, folder=tmp_path / "to")) as auto:
        auto.take(RunChanged(seen(100)))
        (told,) = wait_for_notes(auto, 1)
        assert isinstance(told, AutoPullFailed), told
        assert not list((tmp_path / "to").rglob("model.safetensors"))
    free[0] = 3 << 30  # the control
    with contextlib.closing(AutoPull(session, folder=tmp_path / "to")) as auto:
        auto.take(RunChanged(seen(100)))
        (told,) = wait_for_notes(auto, 1)
        assert isinstance(told, AutoPulled), told


def test_each_new_best_comes_and_what_is_no_better_does_not(
    begin: Callable[..., AutoPull], run: RunDir, tmp_path: Path
) -> None:
    auto = begin()
    there = save(run, 100, {"model.safetensors": b"one"}, 2.0)
    auto.take(RunsSeen((seen(100),), 1.0))
    here = tmp_path / "to" / RUN_ID / "step-00000100"
    size = sum(path.stat().st_size for path in there.iterdir())
    assert wait_for_notes(auto, 1) == [AutoPulled("local", RUN_ID, "step-00000100", here, size)]
    assert same(here, there)
    save(run, 200, {"model.safetensors": b"two"}, 3.0)
    auto.take(RunChanged(seen(200)))
    save(run, 300, {"model.safetensors": b"three"}, 1.0)
    auto.take(RunChanged(seen(300)))
    (note,) = wait_for_notes(auto, 1)
    assert isinstance(note, AutoPulled)
    assert note.name == "step-00000300"
    assert not (tmp_path / "to" / RUN_ID / "step-00000200").exists()


def test_what_was_over_before_is_left_alone_unless_it_was_pulled_before(
    begin: Callable[..., AutoPull], home: Path, tmp_path: Path
) -> None:
    for run_id in ("old-abcdef", "known-abcdef"):
        save(make_run(home, run_id), 100, {"model.safetensors": b"one"}, 2.0)
    (tmp_path / "to" / "known-abcdef").mkdir(parents=True)
    auto = begin()
    auto.take(RunsSeen((seen(100, "old-abcdef", "succeeded"), seen(100, "known-abcdef", "succeeded")), 1.0))
    (note,) = wait_for_notes(auto, 1)
    assert note.run_id == "known-abcdef"
    assert not (tmp_path / "to" / "old-abcdef").exists()


def test_an_error_is_told_and_mended_when_the_link_is_back(
    begin: Callable[..., AutoPull], run: RunDir, tmp_path: Path
) -> None:
    errors: list[Exception] = [CallError("unreachable", "away", "wait"), ValueError("a fault of ours")]

    def fetch(*args: Any, **more: Any) -> Pulled:
        if errors:
            raise errors.pop()
        return pull(*args, **more)

    save(run, 100, {"model.safetensors": b"one"}, 2.0)
    auto = begin(fetch)
    auto.take(RunChanged(seen(100)))
    (note,) = wait_for_notes(auto, 1)
    assert isinstance(note, AutoPullFailed)
    assert "a fault of ours" in note.message
    auto.take(LinkChanged(LinkState(phase="connected")))
    assert wait_for_notes(auto, 1) == [AutoPullFailed("local", RUN_ID, "away", "wait")]
    auto.take(LinkChanged(LinkState(phase="connected")))
    assert isinstance(wait_for_notes(auto, 1)[0], AutoPulled)


def test_a_run_without_an_evaluation_is_no_error(begin: Callable[..., AutoPull], run: RunDir) -> None:
    done = threading.Event()

    def fetch(*args: Any, **more: Any) -> Pulled:
        try:
            return pull(*args, **more)
        finally:
            done.set()

    save(run, 100, {"model.safetensors": b"one"})
    auto = begin(fetch)
    auto.take(RunChanged(seen(100)))
    assert done.wait(10.0)
    auto.close()
    assert auto.drain() == []


def test_one_at_a_time_and_nobody_waits(begin: Callable[..., AutoPull], tmp_path: Path) -> None:
    go, busy, most = threading.Event(), [], [0]

    def fetch(session: Session, run_id: str, *args: Any, **more: Any) -> Pulled:
        busy.append(run_id)
        most[0] = max(most[0], len(busy))
        go.wait(10.0)
        busy.remove(run_id)
        raise CallError("unreachable", run_id)

    auto = begin(fetch)
    for i in range(5):
        auto.take(RunChanged(seen(100, f"run{i}-abcdef")))
    assert len(busy) <= 1
    go.set()
    notes = wait_for_notes(auto, 5)
    assert [note.run_id for note in notes] == [f"run{i}-abcdef" for i in range(5)]
    assert most == [1]


@pytest.mark.parametrize("run_id", ["x" * 5000, "../../etc", "a\0b", "/etc"])
def test_what_is_no_runs_id_touches_no_path_and_breaks_nothing(
    begin: Callable[..., AutoPull], run_id: str
) -> None:
    auto = begin()
    auto.take(RunsSeen((seen(1, run_id, "stopped"),), 1.0))
    auto.take(RunsSeen((seen(2, run_id, "stopped"),), 1.0))
    assert [type(one) for one in wait_for_notes(auto, 1)] == [AutoPullFailed]


def test_a_folder_that_cannot_be_made_breaks_nothing(
    begin: Callable[..., AutoPull], monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(_host: object) -> Path:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("remote.transfer.auto_pull.default_folder", full)
    auto = begin()
    auto._folder = None
    auto.take(RunsSeen((seen(1, RUN_ID, "stopped"),), 1.0))
    auto.take(RunChanged(seen(2)))
    (note,) = wait_for_notes(auto, 1)
    assert isinstance(note, AutoPullFailed)
    assert "No space left" in note.message
