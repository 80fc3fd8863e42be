"""What a host and this machine have of a run, compared by manifests; an end for every piece of work."""

import os
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from remote.actions.trained import trainer_answers
from remote.protocol.errors import CallError
from remote.protocol.trained import RetentionAnswer, TrainerAnswer
from remote.session.session import Session, connect
from tests.remote.transfer.saved import RUN_ID, make_run, save
from tests.tui.fake import FakeSession
from tests.tui.workers.outcomes import PATIENCE_S, outcome_of
from trainer.feed.feed_folder import FeedFolder
from trainer.run.layout import RunDir
from tui.store.kept.shelf import CheckpointShelf, Transfer
from tui.workers.checkpoint_work import CheckpointWork

FILES = {"model.safetensors": b"weights" * 100}


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


def planned(work: CheckpointWork) -> RetentionAnswer:
    came, box = threading.Event(), list[RetentionAnswer | CallError]()

    def told(answer: RetentionAnswer | CallError) -> None:
        box.append(answer)
        came.set()

    work.plan("local", RUN_ID, told)
    assert came.wait(PATIENCE_S)
    assert isinstance(box[0], RetentionAnswer), box[0]
    return box[0]


def test_the_host_lets_go_exactly_what_was_planned_and_brings_it_back(session: Session) -> None:
    run = RunDir(Path(os.environ["PHOTINUS_HOME"]) / "runs" / RUN_ID)
    for step in (300, 400, 500):
        save(run, step, FILES, 3.0)
    work = CheckpointWork({"local": session}, lambda function: function(), lambda: 7.0)
    read = lambda told: work.read("local", RUN_ID, told)  # noqa: E731
    plan = planned(work)
    assert plan.remove == ["step-00000200"]
    pin = lambda told: work.pin("local", RUN_ID, "step-00000200", True, told)  # noqa: E731
    assert outcome_of(pin).ok
    assert next(row.pin for row in heard(read).rows if row.step == 200) == "pinned"
    retain = lambda told: work.retain("local", RUN_ID, plan.plan, told)  # noqa: E731
    refused = outcome_of(retain)  # nothing would go now: that is not what was shown
    assert not refused.ok
    assert "not what was planned" in refused.message
    assert outcome_of(lambda told: work.pin("local", RUN_ID, "step-00000200", False, told)).ok
    assert outcome_of(retain).ok
    shelf = heard(read)
    assert ([row.step for row in shelf.rows], shelf.trash) == ([500, 400, 300, 100], ("step-00000200",))
    assert "step-00000200" in outcome_of(lambda told: work.restore("local", RUN_ID, told)).message
    assert [row.step for row in heard(read).rows] == [500, 400, 300, 200, 100]
    assert ended(work.prove, "step-00000200").ok
    (run.checkpoints / "step-00000200" / "model.safetensors").write_bytes(b"torn")
    assert "does not hold" in ended(work.prove, "step-00000200").message


def test_what_a_feed_is_asked_is_answered_or_refused_with_its_reason(
    session: Session, monkeypatch: pytest.MonkeyPatch
) -> None:
    run = RunDir(Path(os.environ["PHOTINUS_HOME"]) / "runs" / RUN_ID)
    work = CheckpointWork({"local": session}, lambda function: function(), lambda: 7.0)
    pause = lambda told: work.wish("local", RUN_ID, ("pause",), told)  # noqa: E731
    unfed = outcome_of(pause)
    assert (unfed.ok, unfed.code, "is no feed" in unfed.message) == (False, "refused", True)
    FeedFolder(run.path / "feed").create()
    assert "nobody feeds" in outcome_of(pause).message
    granted = TrainerAnswer(run_id=RUN_ID, code=0, out="paused by \x1b[31mada\n", said="")
    monkeypatch.setattr(trainer_answers, "ask_trainer", lambda *_: granted)
    done = outcome_of(pause)
    assert (done.ok, done.message.startswith(f"{RUN_ID}: paused by"), "\x1b" in done.message) == (
        True,
        True,
        False,
    )


def test_an_older_host_names_no_plan_and_lets_nothing_go(session: Session) -> None:
    work = CheckpointWork({"local": session}, lambda function: function(), lambda: 7.0)
    refused = outcome_of(lambda told: work.retain("local", RUN_ID, "", told))
    assert (refused.ok, refused.code, refused.remedy) == (
        False,
        "incompatible",
        "photinus hosts deploy local",
    )


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
