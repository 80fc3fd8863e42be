"""Runs leave the list, go to the trash and come back; whatever dies in between, nothing of them is lost."""

import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from remote.agent.context import Context
from remote.agent.kept.labels import Labels, labels_path, read_labels
from remote.agent.runs import archive, trash
from remote.agent.starts.restart import Restarts
from remote.protocol.errors import CallError
from remote.protocol.keeping import ArchiveArgs, KeepArgs, LabelArgs
from remote.protocol.verbs import LABEL
from remote.session.session import Session, connect
from tests.remote.calling import call
from tests.remote.driving import drive
from tests.remote.finished_runs import finish, history, run_id_of
from tests.remote.old_agent import OldAgent
from trainer.run.home import open_home
from trainer.run.locks import Flock
from trainer.run.states import State

OTHERS = ("labels.json", "lock", "trainer.lock")


class PowerCut(BaseException):
    """What ends an agent in the middle of a verb."""


def ids(session: Session, **args: Any) -> list[str]:
    return [row["run_id"] for row in call(session, "runs", args)["runs"]]


def refusal(session: Session, verb: str, args: dict[str, Any]) -> CallError:
    with pytest.raises(CallError) as raised:
        call(session, verb, args)
    return raised.value


def whole(folder: Path) -> dict[str, bytes]:
    """Every file of a run but for its labels, its locks and the drafts of who died."""
    found = {str(path.relative_to(folder)): path for path in folder.rglob("*") if path.is_file()}
    return {name: path.read_bytes() for name, path in found.items() if name not in OTHERS and name[0] != "."}


def test_labels_are_found_by_and_survive_the_index(home: Path, session: Session) -> None:
    a, b = history(home, 2)
    row = call(session, "label", {"run_id": a, "name": "the one", "add": ["x", "y"], "note": "early"})
    assert (row["name"], row["tags"], row["note"]) == ("the one", ("x", "y"), "early")
    assert call(session, "label", {"run_id": a, "remove": ["x"]})["tags"] == ("y",)
    assert [one["run_id"] for one in call(session, "find", {"name": "the on"})["runs"]] == [a]
    for fits in (
        {"tags": ["y"]},
        {"name": "the*"},
        {"name": "one"},
        {"tags": ["y"], "states": ["succeeded"]},
    ):
        assert ids(session, only=fits) == [a], fits
    assert ids(session, only={"tags": ["x"]}) == []
    for made in ({"add": ["two words"]}, {"add": ["x"] * 33}):
        with pytest.raises(CallError):
            call(session, "label", {"run_id": b, **made})
    labels_path(open_home(home).run(a)).write_text("{torn")
    assert read_labels(open_home(home).run(a)) == Labels()
    assert ids(session) == [a, b]


def test_an_archived_run_is_read_and_neither_listed_nor_resumed(home: Path, session: Session) -> None:
    a, b = history(home, 2, resume_argv=["true"])
    call(session, "archive", {"run_id": a})
    assert ids(session) == [b]
    assert ids(session, only={"archived": True}) == [a]
    assert call(session, "runs")["finished"] == 1
    assert call(session, "status")["counts"] == {"succeeded": 1}
    assert "is archived" in str(refusal(session, "resume", {"run_id": a, "start_id": "r"}))
    assert call(session, "run", {"run_id": a})["why_not"].startswith("it is archived")
    call(session, "restore", {"run_id": a})
    assert ids(session) == [a, b]


def test_a_lost_run_that_asks_for_a_restart_gets_none_while_it_is_archived(home: Path) -> None:
    finish(
        home,
        run_id_of(1),
        ended=1e9,
        state=State.DIED_REBOOT,
        resume_argv=["true"],
        restart={"policy": "always"},
    )
    ctx = Context.of(open_home(home))
    drive(archive.archive(ctx, ArchiveArgs(run_id=run_id_of(1))))
    assert Restarts(ctx).due() == []
    drive(archive.restore(ctx, KeepArgs(run_id=run_id_of(1))))
    assert len(Restarts(ctx).due()) == 1  # control


def test_the_trash_takes_what_is_over_and_no_parent(home: Path, session: Session) -> None:
    a, b, c = history(home, 3)
    spec = open_home(home).run(c).spec
    spec.write_text(json.dumps(json.loads(spec.read_text()) | {"parent": f"{a}/step-00000001"}))
    refused = refusal(session, "trash", {"run_id": a})
    assert (refused.code, f"{c} began from" in refused.message) == ("refused", True)
    before = whole(home / "runs" / b)
    with Flock(home / "runs" / b / "lock") as held:  # a supervisor that is about to leave, or a resume
        assert held.take(0.0)
        assert refusal(session, "trash", {"run_id": b}).code == "already_running"
    assert call(session, "trash", {"run_id": b})["where"] == "trash"
    assert call(session, "trash", {"run_id": b})["where"] == "trash"  # sent twice
    assert ids(session) == [a, c]
    asked = refusal(session, "run", {"run_id": b})
    assert (asked.code, asked.remedy) == ("not_found", f"photinus restore {b}")
    again = {"start_id": "anew", "spec": json.loads((home / "trash" / b / "spec.json").read_text())}
    assert "in the trash" in str(refusal(session, "start", again))
    call(session, "restore", {"run_id": b})
    assert whole(home / "runs" / b) == before
    call(session, "trash", {"run_id": b})
    assert call(session, "purge", {"older_s": 3600.0})["run_ids"] == []
    assert call(session, "purge", {"run_ids": [b]})["run_ids"] == [b]
    assert list((home / "trash").iterdir()) == []


def test_a_moved_run_is_whole_there_and_says_where_it_is(
    home: Path, session: Session, tmp_path: Path
) -> None:
    (a,) = history(home, 1)
    before = whole(home / "runs" / a)
    assert call(session, "archive", {"run_id": a, "to": str(tmp_path / "shelf")})["where"] == str(
        tmp_path / "shelf" / a
    )
    assert whole(tmp_path / "shelf" / a) == before
    assert not (home / "runs" / a).exists()
    for word in (a, "script"):
        assert "was moved to" in str(refusal(session, "find", {"name": word}))
    call(session, "restore", {"run_id": a})
    assert whole(home / "runs" / a) == before
    assert list((tmp_path / "shelf").iterdir()) == []
    inside = refusal(session, "archive", {"run_id": a, "to": str(home / "x")})
    assert inside.code == "refused"


def test_an_agent_that_dies_at_any_call_of_the_disk_loses_no_run(home: Path, tmp_path: Path) -> None:
    """Each rename, removal, sync and record is the last thing that one agent does; the next one goes on."""
    finish(home, run_id_of(1))
    ctx = Context.of(open_home(home))
    before, run_id, shelf = whole(home / "runs" / run_id_of(1)), run_id_of(1), tmp_path / "shelf"
    acts: dict[str, Callable[[], Any]] = {
        "rm": lambda: drive(trash.trash(ctx, KeepArgs(run_id=run_id))),
        "archive": lambda: drive(archive.archive(ctx, ArchiveArgs(run_id=run_id, to=str(shelf)))),
    }
    for act in acts.values():
        cuts, was_cut = 0, True
        while was_cut:
            with pytest.MonkeyPatch.context() as patch:
                was_cut = cut_at(patch, cuts + 1)(act)
            places = [home / "runs" / run_id, home / "trash" / run_id, shelf / run_id]
            assert any(place.is_dir() and whole(place) == before for place in places), (act, cuts)
            drive(archive.restore(Context.of(open_home(home)), KeepArgs(run_id=run_id)))
            assert whole(home / "runs" / run_id) == before
            cuts += 1
        assert cuts > 3  # control: it was cut at all


def cut_at(patch: pytest.MonkeyPatch, place: int) -> Callable[[Callable[[], Any]], bool]:
    """Runs an act that ends at the `place`-th call that changes the disk; whether there were so many."""
    seen = 0

    def counted(name: str, real: Any) -> Any:
        def instead(*args: Any, **more: Any) -> Any:
            nonlocal seen
            seen += 1
            if seen == place:
                raise PowerCut
            return real(*args, **more)

        return instead

    for module, name in (
        (trash, "write_labels"), (trash, "fsync_folder"), (archive, "note_moved"), (archive, "fsync_folder"),
        (archive, "sync_to_disk"),
    ):  # fmt: skip
        patch.setattr(module, name, counted(name, getattr(module, name)))
    for name in ("copytree", "rmtree"):
        patch.setattr(shutil, name, counted(name, getattr(shutil, name)))
    patch.setattr(Path, "rename", counted("rename", Path.rename))

    def carry_out(act: Callable[[], Any]) -> bool:
        try:
            act()
        except PowerCut:
            return True
        return False

    return carry_out


def test_an_older_host_says_what_brings_it_up_to_date(home: Path) -> None:
    from remote.actions.kept.keep import label_run

    class Older(OldAgent):
        def write(self, data: bytes) -> None:
            for line in data.splitlines(keepends=True):
                request = json.loads(line)
                if request["verb"] == LABEL.name:
                    self._refuse(request["id"], "unknown_verb", "unknown verb 'label'")
                    line = json.dumps({"id": 1 << 50, "verb": "ping", "args": {"n": 0}}).encode() + b"\n"
                super().write(line)

    (a,) = history(home, 1)
    with connect(opener=Older) as session, pytest.raises(CallError) as raised:
        label_run(session, a, name="x")
    error = raised.value
    assert (error.code, error.remedy) == ("incompatible", "photinus hosts deploy local")
    assert LabelArgs(run_id=a).add == []
