"""Saves, a pull, a push, a pin and a retention of one run, and a second run of its lineage, all at once."""

import threading
from collections.abc import Callable
from pathlib import Path

import pytest
import torch

from remote.protocol.errors import CallError
from remote.session.session import Session
from remote.transfer.pull import pull
from remote.transfer.push import push
from remote.transfer.select import Choice
from tests.remote.finished_runs import finish, run_id_of
from tests.trials import trials
from trainer.checkpoints.draft import Draft
from trainer.checkpoints.retain import prune
from trainer.config.schema import CheckpointConfig
from trainer.mirror.mirror_copier import MirrorCopier
from trainer.mirror.mirror_places import FolderMirror
from trainer.run.checkpoints.imported import locate_parent
from trainer.run.checkpoints.manifest import checkpoint_name, list_checkpoints, newest_valid, verify
from trainer.run.checkpoints.pins import checkpoints_locked, pin, read_pins, unpin
from trainer.run.checkpoints.trash import bring_back, trashed_checkpoints
from trainer.run.layout import RunDir
from trainer.run.run_errors import CheckpointError, LockHeldError

KEEPS = CheckpointConfig(keep_last=3, trash_gb=10.0)


def save(folder: Path, step: int, parent: str = "") -> None:
    """What a trainer does: a draft, hashed, synced, named; here of a few numbers."""
    weights = {"model": torch.full((700,), float(step))}
    with Draft(folder, checkpoint_name(step)) as draft:
        draft.tensors("model.safetensors", weights)
        score = {"val_ce": {"value": 5.0 - (step % 7) / 7, "direction": "min"}}
        draft.publish({"step": step, "parent": parent, "metrics": score, "primary": "val_ce"})


@pytest.mark.chaos
@pytest.mark.claim(
    "saves, pulls, pushes, pins, retentions of one run and a second of its lineage at once lose nothing"
)
def test_all_at_once_no_manifest_is_lost_and_none_is_listed_that_does_not_hold(
    session: Session, home: Path, tmp_path: Path
) -> None:
    rounds = trials(4, 200)
    one, other = (finish(home, run_id_of(number)) for number in (0, 1))
    faults, over = list[str](), threading.Event()
    mirror = FolderMirror(tmp_path / "mirror")
    copier, done = MirrorCopier(mirror, one.checkpoints), list[str]()

    def trains(run: RunDir, parent: str) -> Callable[[], None]:
        def work() -> None:
            for step in range(1, rounds + 1):
                save(run.checkpoints, step, parent if step == 1 else checkpoint_name(step - 1))
                let_go = prune(run.checkpoints, KEEPS, in_use=(checkpoint_name(step),))
                if run is one:
                    copier.take(checkpoint_name(step), let_go)

        return work

    def again_and_again(name: str, act: Callable[[], object]) -> Callable[[], None]:
        def work() -> None:
            while not over.is_set():
                try:
                    act()
                except (CallError, CheckpointError, LockHeldError) as error:
                    if isinstance(error, CallError) and error.code not in ("not_found", "refused", "damaged"):
                        faults.append(f"{name}: {error}")
                done.append(name)

        return work

    def pins() -> None:
        if found := list_checkpoints(one.checkpoints):
            pin(one, found[0].name)
            unpin(one, found[0].name)

    def operator() -> None:
        with checkpoints_locked(one, patience_s=1.0):
            if trashed := trashed_checkpoints(one):
                bring_back(one, [trashed[0].name])

    def looks() -> None:
        for info in list_checkpoints(one.checkpoints):
            try:
                verify(info.path)
            except CheckpointError as error:
                if (
                    info.path.is_dir()
                    and "cannot be read" not in str(error)
                    and "no manifest" not in str(error)
                ):
                    faults.append(f"listed, and does not hold: {error}")

    def pushes() -> None:
        if (newest := newest_valid(one.checkpoints)) is not None:
            push(session, newest.path)

    trainers = [trains(one, ""), trains(other, f"{one.run_id}/step-00000001")]
    others = {
        "pull": lambda: pull(session, one.run_id, Choice(), tmp_path / "pulled"), "push": pushes, "pin": pins,
        "restore": operator, "look": looks,
    }  # fmt: skip
    acts = [again_and_again(name, act) for name, act in others.items()]
    threads = [threading.Thread(target=act) for act in (*trainers, *acts)]
    for thread in threads:
        thread.start()
    for thread in threads[:2]:
        thread.join(600)
    over.set()
    for thread in threads[2:]:
        thread.join(60)
    assert copier.finish(60)
    assert faults == []
    assert set(done) == set(others)
    for run in (one, other):
        listed = {info.name for info in list_checkpoints(run.checkpoints)}
        assert listed | {gone.name for gone in trashed_checkpoints(run)} == {
            checkpoint_name(step) for step in range(1, rounds + 1)
        }
        assert all(verify(run.checkpoints / name) for name in listed)
        newest = newest_valid(run.checkpoints)
        assert newest is not None
        assert newest.step == rounds
        assert not list(run.checkpoints.glob(".tmp-*"))
    assert read_pins(one) == {}
    first = (
        verify(other.checkpoints / checkpoint_name(1))
        if (other.checkpoints / checkpoint_name(1)).is_dir()
        else None
    )
    assert first is None or locate_parent(home, first.parent).name == checkpoint_name(1)
    for place in (tmp_path / "pulled", home / "seeds" / one.run_id / "checkpoints", mirror.folder):
        assert all(verify(info.path) for info in list_checkpoints(place))
    assert mirror.names()[-1] == checkpoint_name(rounds)
