"""What a host and this machine have of a run, compared by manifests; an end for every piece of work."""

import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from remote.session.session import Session, connect
from tests.remote.transfer.saved import RUN_ID, make_run, save
from tests.tui.fake import FakeSession
from tui.store.kept.shelf import CheckpointShelf, Transfer
from tui.workers.checkpoint_work import CheckpointWork

FILES = {"model.safetensors": b"weights" * 100}
PATIENCE_S = 20.0


@pytest.fixture
def session(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Session]:
    monkeypatch.setenv("PHOTINUS_HOME", str(tmp_path / "home"))
    run = make_run(tmp_path / "home")
    for step, val_ce in ((100, 1.0), (200, 2.0)):
        save(run, step, FILES, val_ce, parent="" if step == 100 else "step-00000100")
    with connect() as opened:
        yield opened


def heard(ask: Callable[[Callable[[CheckpointShelf], None]], None]) -> CheckpointShelf:
    """The answer of a read, whenever it comes."""
    came, box = threading.Event(), list[CheckpointShelf]()

    def told(shelf: CheckpointShelf) -> None:
        box.append(shelf)
        came.set()

    ask(told)
    assert came.wait(PATIENCE_S)
    return box[0]


def ended(
    begin: Callable[[Transfer, Callable[[], None]], None], name: str, *, dropped: bool = False
) -> Transfer:
    transfer, over = Transfer("pull", "local", RUN_ID, name, 0.0), threading.Event()
    transfer.is_dropped = dropped
    begin(transfer, over.set)
    assert over.wait(PATIENCE_S)
    return transfer


def test_a_pull_shows_here_and_a_damaged_copy_is_found_out(session: Session) -> None:
    work = CheckpointWork({"local": session}, lambda function: function(), lambda: 7.0)
    read = lambda told: work.read("local", RUN_ID, told)  # noqa: E731
    shelf = heard(read)
    assert [(row.step, row.here, row.is_best, row.is_latest) for row in shelf.rows] == [
        (200, "none", False, True),
        (100, "none", True, False),
    ]
    assert shelf.rows[0].parent == "step-00000100"
    assert not ended(work.pull, "step-00000100", dropped=True).ok
    pulled = ended(work.pull, "step-00000100")
    assert pulled.ok, pulled.message
    assert pulled.ended == 7.0
    shelf = heard(read)
    assert [row.here for row in shelf.rows] == ["none", "whole"]
    assert ended(work.verify, "step-00000100").ok
    copy = Path(shelf.here) / "step-00000100" / "model.safetensors"
    copy.write_bytes(copy.read_bytes()[::-1])
    proof = ended(work.verify, "step-00000100")
    assert not proof.ok
    assert "model.safetensors" in proof.message
    missing = ended(work.pull, "step-00000999")
    assert "no checkpoint" in missing.message
    away = CheckpointWork({"local": FakeSession()}, lambda function: function(), lambda: 8.0)  # type: ignore[dict-item]
    alone = heard(lambda told: away.read("local", RUN_ID, told))
    assert "fault" in alone.trouble, "whatever goes wrong, the screen hears of it"
