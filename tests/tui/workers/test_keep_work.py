"""What the keys do to runs that one keeps, on a real host: words, away, back, a clone, a refused move."""

import os
import threading
from collections.abc import Iterator, Sequence
from functools import partial
from pathlib import Path

import pytest

from remote.protocol.errors import CallError
from remote.session.session import Session, connect
from tests.remote.conftest import end_everything
from tests.remote.finished_runs import finish, run_id_of
from tests.tui.workers.outcomes import PATIENCE_S, outcome_of
from trainer.run.home import open_home
from tui.store.kept.put_away import PutAwayRun
from tui.workers.run_work import SessionActs

A, B = run_id_of(0), run_id_of(1)


@pytest.fixture
def session(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Session]:
    monkeypatch.setenv("PHOTINUS_HOME", str(tmp_path / "home"))
    finish(tmp_path / "home", A, name="first", argv=["true"])
    finish(tmp_path / "home", B, name="second", argv=["true"], parent=f"{A}/step-00000001")
    with connect() as opened:
        opened.wait_connected(PATIENCE_S)
        yield opened
    end_everything(tmp_path / "home")


def away(acts: SessionActs) -> Sequence[PutAwayRun]:
    came, box = threading.Event(), list[Sequence[PutAwayRun] | CallError]()

    def told(answer: Sequence[PutAwayRun] | CallError) -> None:
        box.append(answer)
        came.set()

    acts.put_away("local", told)
    assert came.wait(PATIENCE_S)
    assert not isinstance(box[0], CallError), box[0]
    return box[0]


def test_a_run_is_labelled_put_away_either_way_and_comes_back(session: Session) -> None:
    acts = SessionActs({"local": session}, lambda act: act())
    done = outcome_of(lambda told: acts.label("local", A, told, name="größe", add=["night"], note="hello"))
    assert done.message == f"{A} is called größe, tags: night, note: hello"
    refused = outcome_of(lambda told: acts.label("local", A, told, add=["two words"]))
    assert (refused.ok, refused.message) == (False, "'two words' is no tag")
    assert away(acts) == []
    assert not outcome_of(lambda told: acts.trash("local", A, told)).ok  # B began from it
    assert outcome_of(lambda told: acts.archive("local", A, told)).ok
    assert outcome_of(lambda told: acts.trash("local", B, told)).ok
    assert {(one.run_id, one.name, one.where) for one in away(acts)} == {
        (A, "größe", "archive"), (B, "second", "trash"),
    }  # fmt: skip
    for run_id in (A, B):
        done = outcome_of(partial(acts.restore, "local", run_id))
        assert done.message == f"{run_id} is back: succeeded"
    assert away(acts) == []


def test_a_clone_begins_at_once_and_says_what_is_no_key(session: Session) -> None:
    acts = SessionActs({"local": session}, lambda act: act())
    begun = outcome_of(lambda told: acts.clone("local", A, [], told))
    assert begun.run is not None, begun
    assert begun.message.endswith(f", like {A}")
    assert open_home(Path(os.environ["PHOTINUS_HOME"])).run(begun.run.run_id).spec.is_file()
    for words, why in {
        "steps": "has no value",
        "steps=3": "is a command",
        "device=cuda:7": "no device",
    }.items():
        refused = outcome_of(partial(acts.clone, "local", A, [words]))
        assert (refused.ok, why in refused.message) == (False, True), refused


def test_a_move_within_one_state_root_is_refused_and_changes_nothing(session: Session) -> None:
    words = list[str]()
    with connect() as again:
        acts = SessionActs({"local": session, "box": again}, lambda act: act())
        done = outcome_of(lambda told: acts.move_run("local", A, "box", words.append, told))
    assert (done.ok, "the run is on local" in done.message, words) == (False, True, [])
    assert away(acts) == []
